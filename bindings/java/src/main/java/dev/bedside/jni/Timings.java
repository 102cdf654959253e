package dev.bedside.jni;

/** How long each stage took, in milliseconds. */
public final class Timings {
    private final double decode;
    private final double preprocess;
    private final double engine;
    private final double verdict;
    private final double total;

    Timings(Reply reply) {
        decode = reply.float64();
        preprocess = reply.float64();
        engine = reply.float64();
        verdict = reply.float64();
        total = reply.float64();
    }

    /** Decoding, orienting, cropping. */
    public double getDecode() {
        return decode;
    }

    /** Resizing, normalising, and measuring the quality. */
    public double getPreprocess() {
        return preprocess;
    }

    /** The graph. 0 where a picture was rejected before it. */
    public double getEngine() {
        return engine;
    }

    /** Probabilities, verdict, findings. */
    public double getVerdict() {
        return verdict;
    }

    /** The whole classification. */
    public double getTotal() {
        return total;
    }
}
