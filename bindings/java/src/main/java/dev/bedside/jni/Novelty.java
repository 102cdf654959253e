package dev.bedside.jni;

/** How unlike the pictures that the model was made for a picture is, and the two levels that it is compared with. */
public final class Novelty {
    private final float value;
    private final float soft;
    private final float hard;

    Novelty(Reply reply) {
        value = reply.float32();
        soft = reply.float32();
        hard = reply.float32();
    }

    /** The novelty, without a unit: the larger, the more unlike. */
    public float getValue() {
        return value;
    }

    /** The novelty above which the triage is at least {@code REFER}. */
    public float getSoft() {
        return soft;
    }

    /** The novelty above which the picture is rejected. */
    public float getHard() {
        return hard;
    }
}
