package dev.bedside.jni;

/** Provokes panics in a library that was built with the feature {@code test-panic}. */
final class PanicProbe {
    private PanicProbe() {}

    /** Makes the next call of any method panic, once. */
    static native void arm();
}
