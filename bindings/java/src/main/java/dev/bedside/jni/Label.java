package dev.bedside.jni;

/** A label of a model. */
public final class Label {
    private final String id;
    private final String name;
    private final Float operatingPoint;
    private final Triage triage;

    Label(Reply reply) {
        id = reply.string();
        name = reply.string();
        operatingPoint = reply.optional(Reply::float32);
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

    /**
     * The calibrated probability, 0 to 1, at and above which the label can't be excluded. In {@link Manifest#getLabels}
     * the one that the manifest writes beside the label, or null; in {@link Manifest#getShownLabels} the one in force,
     * which is always there.
     */
    public Float getOperatingPoint() {
        return operatingPoint;
    }

    /** What a person should do where the label can't be excluded. */
    public Triage getTriage() {
        return triage;
    }
}
