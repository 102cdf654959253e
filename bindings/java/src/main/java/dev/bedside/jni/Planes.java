package dev.bedside.jni;

import java.nio.ByteBuffer;

/** Buffers as the library takes them. */
final class Planes {
    private Planes() {}

    /** The bytes from position to limit, as a buffer of its own: the library sees its whole capacity. */
    static ByteBuffer of(ByteBuffer buffer, String name) {
        if (!buffer.isDirect()) {
            throw new IllegalArgumentException(
                    name + " is not a direct buffer; make it with ByteBuffer.allocateDirect");
        }
        return buffer.slice();
    }
}
