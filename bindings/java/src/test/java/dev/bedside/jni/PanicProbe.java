package dev.bedside.jni;

/** The switch of libraries that were built with the feature {@code test-panic}. */
final class PanicProbe {
    private PanicProbe() {}

    /** Makes the next call panic, whichever it is, once. */
    static native void arm();
}
