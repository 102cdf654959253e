package dev.bedside.jni;

/** How long the parts of opening a model took, in milliseconds. */
public final class LoadTimes {
    private final double read;
    private final double importing;
    private final double optimize;

    LoadTimes(Reply reply) {
        read = reply.longReal();
        importing = reply.longReal();
        optimize = reply.longReal();
    }

    /** Reading the file, decoding it, checking the manifest against it. */
    public double getRead() {
        return read;
    }

    /** From the decoded file to typed operators. */
    public double getImport() {
        return importing;
    }

    /** From those to the ones that run. */
    public double getOptimize() {
        return optimize;
    }
}
