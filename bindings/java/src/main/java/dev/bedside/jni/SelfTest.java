package dev.bedside.jni;

/** The result of a self-test that passed. */
public final class SelfTest {
    private final GoldenBy by;
    private final float maxDifference;

    SelfTest(Reply reply) {
        by = GoldenBy.named(reply.string());
        maxDifference = reply.float32();
    }

    /** The runtime that measured the golden scores. */
    public GoldenBy getBy() {
        return by;
    }

    /** The largest difference between a score and its golden one, 0 to 1. */
    public float getMaxDifference() {
        return maxDifference;
    }
}
