package dev.bedside.jni;

/** A label of a model. */
public final class Label {
    private final String id;
    private final String name;
    private final float operatingPoint;
    private final Triage triage;

    Label(Reply reply) {
        id = reply.string();
        name = reply.string();
        operatingPoint = reply.float32();
        triage = reply.named(Triage.class);
    }

    /** A stable name: lower-case letters, digits, underscores and hyphens. */
    public String getId() {
        return id;
    }

    /** The label's name for a screen. */
    public String getName() {
        return name;
    }

    /** The calibrated probability, 0 to 1, at and above which the label can't be excluded. */
    public float getOperatingPoint() {
        return operatingPoint;
    }

    /** What a person should do where the label can't be excluded. */
    public Triage getTriage() {
        return triage;
    }
}
