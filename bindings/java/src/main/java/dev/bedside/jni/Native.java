package dev.bedside.jni;

import java.nio.ByteBuffer;

/**
 * The native methods of {@code libbedside}. Each answers with what {@link Reply} reads.
 *
 * <p>Rust has its side in {@code bindings/src/java/mod.rs}. A shrinker must keep this class's name, its native methods,
 * and {@link #log}.
 */
final class Native {
    /**
     * Which form of these methods, of requests and of replies this jar has: the 32-bit FNV-1a hash of
     * {@code bindings/wire.txt}, which has a sample of each. A test tells the number where that file changes.
     */
    static final int PROTOCOL = 0x1946bb1c;

    static {
        NativeLibrary.load();
        NativeLibrary.require(PROTOCOL, spoken());
    }

    private Native() {}

    /** The protocol of the library, or null where it is older than the method that tells. */
    private static Integer spoken() {
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

    static native byte[] closeImage(long image);

    static native byte[] newCancelHandle();

    static native byte[] cancel(long cancelHandle);

    static native byte[] isCancelled(long cancelHandle);

    static native byte[] closeCancelHandle(long cancelHandle);

    static native byte[] setLogger(Logger logger, int level);

    /** Called by the library, on any thread. A logger that throws must not end a classification. */
    @SuppressWarnings("unused")
    private static void log(Logger logger, int level, String target, String message) {
        try {
            logger.log(LogLevel.values()[level], target, message);
        } catch (Throwable ignored) {
            // There is no other place to say so. Of a logger in Kotlin it may be a checked exception.
        }
    }
}
