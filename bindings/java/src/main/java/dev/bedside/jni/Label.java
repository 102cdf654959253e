package dev.bedside.jni;

/** One thing that a model can name. */
public final class Label {
    private final String id;
    private final String name;
    private final float operatingPoint;
    private final Triage triage;

    Label(Reply reply) {
        id = reply.string();
        name = reply.string();
        operatingPoint = reply.real();
        triage = reply.named(Triage.class);
    }

    /** A stable name: lower-case letters, digits, underscores and hyphens. */
    public String getId() {
        return id;
    }

    /** What to call it on a screen. */
    public String getName() {
        return name;
    }

    /** The calibrated probability, 0 to 1, from which on it can't be excluded. */
    public float getOperatingPoint() {
        return operatingPoint;
    }

    /** What it asks of a person. */
    public Triage getTriage() {
        return triage;
    }
}
