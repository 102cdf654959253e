package dev.bedside.jni;

import java.nio.ByteBuffer;

/**
 * The native methods of {@code libbedside}. Each returns the bytes that {@link Reply} reads.
 *
 * <p>{@code bindings/src/java/mod.rs} implements them. A shrinker must keep this class's name, its native methods,
 * and {@link #log}.
 */
final class Native {
    /**
     * The version of these methods, of requests and of replies in this jar: the 32-bit FNV-1a hash of
     * {@code bindings/wire.txt}, which has a sample of each. Where that file changes, a test prints the new number.
     */
    static final int PROTOCOL = 0xcd0b9906;

    static {
        NativeLibrary.load();
        NativeLibrary.require(PROTOCOL, libraryProtocol());
    }

    private Native() {}

    /** The protocol of the library, or null where the library is too old to have that method. */
    private static Integer libraryProtocol() {
        try {
            return protocol();
        } catch (UnsatisfiedLinkError tooOld) {
            return null;
        }
    }

    static native int protocol();

    static native byte[] openClassifier(byte[] request);

    static native byte[] classifierFromBytes(byte[] model, byte[] request);

    static native byte[] classify(long classifier, long image, byte[] query);

    static native byte[] classifyPlanes(
            long classifier, ByteBuffer first, ByteBuffer second, ByteBuffer third, byte[] format, byte[] query);

    static native byte[] check(long classifier, byte[] query);

    static native byte[] scopeReasons(long classifier, byte[] query);

    static native byte[] warmUp(long classifier);

    static native byte[] selfTest(long classifier);

    static native byte[] scores(long classifier, long image);

    static native byte[] manifest(long classifier, byte[] language);

    static native byte[] identity(long classifier);

    static native byte[] loadTimesMs(long classifier);

    static native byte[] closeClassifier(long classifier);

    static native byte[] openImage(byte[] path);

    static native byte[] imageFromBytes(byte[] file);

    static native byte[] imageFromPlanes(ByteBuffer first, ByteBuffer second, ByteBuffer third, byte[] format);

    static native byte[] rotated(long image, int rotation);

    static native byte[] mirrored(long image);

    static native byte[] frame(long image, int number);

    static native byte[] frames(long image);

    static native byte[] numberedWindow(long image, int number);

    static native byte[] window(long image, double center, double width);

    static native byte[] whole(long image);

    static native byte[] shown(long image, int maxSide);

    static native byte[] overlay(long image, byte[] heatmap);

    static native byte[] closeImage(long image);

    static native byte[] newCancelHandle();

    static native byte[] cancel(long cancelHandle);

    static native byte[] isCancelled(long cancelHandle);

    static native byte[] closeCancelHandle(long cancelHandle);

    static native byte[] setLogger(Logger logger, int level);

    /** Passes one record to a logger. The library calls this on any thread. It ignores what the logger throws. */
    @SuppressWarnings("unused")
    private static void log(Logger logger, int level, String target, String message) {
        try {
            logger.log(LogLevel.values()[level], target, message);
        } catch (Throwable ignored) {
            // There is no other place to report it. A logger in Kotlin may throw a checked exception.
        }
    }
}
