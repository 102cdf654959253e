package dev.bedside.jni;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;

/** Writes the request of a native method. {@code bindings/src/java/request.rs} reads the fields in the same order. */
final class Request {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** A request of one string. */
    static byte[] of(String text) {
        return new Request().string(text).toBytes();
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }

    Request int8(int value) {
        bytes.write(value);
        return this;
    }

    Request flag(boolean value) {
        return int8(value ? 1 : 0);
    }

    Request int32(int value) {
        return raw(ByteBuffer.allocate(Integer.BYTES).putInt(value));
    }

    Request int64(long value) {
        return raw(ByteBuffer.allocate(Long.BYTES).putLong(value));
    }

    Request float32(float value) {
        return raw(ByteBuffer.allocate(Float.BYTES).putFloat(value));
    }

    Request float64(double value) {
        return raw(ByteBuffer.allocate(Double.BYTES).putDouble(value));
    }

    Request float64s(double... values) {
        for (double value : values) {
            float64(value);
        }
        return this;
    }

    Request string(String text) {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        int32(encoded.length);
        bytes.write(encoded, 0, encoded.length);
        return this;
    }

    /** Bytes that another request has written. */
    Request bytes(byte[] written) {
        bytes.write(written, 0, written.length);
        return this;
    }

    Request strings(Collection<String> texts) {
        int32(texts.size());
        texts.forEach(this::string);
        return this;
    }

    private Request raw(ByteBuffer buffer) {
        bytes.write(buffer.array(), 0, buffer.capacity());
        return this;
    }
}
