package dev.bedside.jni;

import java.nio.ByteBuffer;

/** Checks the buffers of a frame and slices them for the library. */
final class Planes {
    private Planes() {}

    /**
     * The bytes from position to limit as a buffer of their own, because the library reads a buffer from its start to
     * its capacity.
     */
    static ByteBuffer of(ByteBuffer buffer, String name) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(
                    name + " is not a direct buffer; make it with ByteBuffer.allocateDirect");
        }
        return buffer.slice();
    }
}
