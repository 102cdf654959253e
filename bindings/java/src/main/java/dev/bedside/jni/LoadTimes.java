package dev.bedside.jni;

/** How long the parts of opening a model took, in milliseconds. */
public final class LoadTimes {
    private final double read;
    private final double importing;
    private final double optimize;

    LoadTimes(Reply reply) {
        read = reply.float64();
        importing = reply.float64();
        optimize = reply.float64();
    }

    /** Reading the file, decoding it, checking the manifest against it. */
    public double getRead() {
        return read;
    }

    /** From the decoded file to typed operators. */
    public double getImport() {
        return importing;
    }

    /** From typed operators to those that run. */
    public double getOptimize() {
        return optimize;
    }
}
