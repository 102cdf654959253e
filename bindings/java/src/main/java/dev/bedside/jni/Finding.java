package dev.bedside.jni;

/** One label and how probable it is. */
public final class Finding {
    private final String label;
    private final String name;
    private final float probability;
    private final float operatingPoint;
    private final boolean overOperatingPoint;

    Finding(Reply reply) {
        label = reply.string();
        name = reply.string();
        probability = reply.float32();
        operatingPoint = reply.float32();
        overOperatingPoint = reply.flag();
    }

    /** The label's id. */
    public String getLabel() {
        return label;
    }

    /** Its name in the query's language. */
    public String getName() {
        return name;
    }

    /** The calibrated probability, 0 to 1, re-weighted where the query gives a prevalence. */
    public float getProbability() {
        return probability;
    }

    /** The calibrated probability, 0 to 1, at and above which the label can't be excluded. */
    public float getOperatingPoint() {
        return operatingPoint;
    }

    /** Whether the calibrated probability, not re-weighted, is at or above the operating point. */
    public boolean isOverOperatingPoint() {
        return overOperatingPoint;
    }
}
