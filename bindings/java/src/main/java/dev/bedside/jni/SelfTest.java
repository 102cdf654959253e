package dev.bedside.jni;

/** What a self-test found. */
public final class SelfTest {
    private final GoldenBy by;
    private final float maxDifference;

    SelfTest(Reply reply) {
        by = GoldenBy.named(reply.string());
        maxDifference = reply.real();
    }

    /** Who measured the golden scores. */
    public GoldenBy getBy() {
        return by;
    }

    /** The largest difference between a score and its golden one, 0 to 1. */
    public float getMaxDifference() {
        return maxDifference;
    }
}
