package dev.bedside.jni;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Collection;

/** Writes what goes over the border; {@code bindings/src/java/request.rs} reads it in the same order. */
final class Request {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** A request of one string. */
    static byte[] of(String text) {
        return new Request().string(text).toBytes();
    }

    byte[] toBytes() {
        return bytes.toByteArray();
    }

    Request number(int value) {
        bytes.write(value);
        return this;
    }

    Request flag(boolean value) {
        return number(value ? 1 : 0);
    }

    Request integer(int value) {
        return raw(ByteBuffer.allocate(Integer.BYTES).putInt(value));
    }

    Request longInteger(long value) {
        return raw(ByteBuffer.allocate(Long.BYTES).putLong(value));
    }

    Request real(float value) {
        return raw(ByteBuffer.allocate(Float.BYTES).putFloat(value));
    }

    Request longReal(double value) {
        return raw(ByteBuffer.allocate(Double.BYTES).putDouble(value));
    }

    Request string(String text) {
        byte[] encoded = text.getBytes(StandardCharsets.UTF_8);
        integer(encoded.length);
        bytes.write(encoded, 0, encoded.length);
        return this;
    }

    /** What another request has written. */
    Request bytes(byte[] written) {
        bytes.write(written, 0, written.length);
        return this;
    }

    Request strings(Collection<String> texts) {
        integer(texts.size());
        texts.forEach(this::string);
        return this;
    }

    private Request raw(ByteBuffer buffer) {
        bytes.write(buffer.array(), 0, buffer.capacity());
        return this;
    }
}
