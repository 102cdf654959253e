package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Reads the reply of a native method. {@code bindings/src/java/reply.rs} writes the fields in the same order. */
final class Reply {
    private static final byte DONE = 0;
    private static final byte FAILED = 1;

    private final ByteBuffer bytes;

    private Reply(byte[] bytes) {
        this.bytes = ByteBuffer.wrap(bytes);
    }

    /**
     * The reply of a call that succeeded, positioned at its result.
     *
     * @param held the objects of the call, which must not be collected, and so closed, before the call has returned
     * @throws BedsideException where the call failed
     * @throws IllegalStateException where an object of the call was closed
     */
    static Reply of(byte[] bytes, Handle... held) throws BedsideException {
        for (Handle handle : held) {
            if (handle != null) {
                handle.keepReachable();
            }
        }
        Reply reply = new Reply(bytes);
        byte ended = reply.bytes.get();
        if (ended == DONE) {
            return reply;
        }
        if (ended == FAILED) {
            throw new BedsideException(reply.named(ErrorKind.class), reply.string());
        }
        throw new IllegalStateException("the " + reply.string() + " is closed");
    }

    long handle() {
        return bytes.getLong();
    }

    boolean flag() {
        return bytes.get() != 0;
    }

    int int32() {
        return bytes.getInt();
    }

    float float32() {
        return bytes.getFloat();
    }

    double float64() {
        return bytes.getDouble();
    }

    double[] float64s(int count) {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = float64();
        }
        return values;
    }

    String string() {
        return new String(file(), StandardCharsets.UTF_8);
    }

    /** Bytes after their number. */
    byte[] file() {
        byte[] found = new byte[bytes.getInt()];
        bytes.get(found);
        return found;
    }

    /** A constant of an enum, read by the name that all languages share. */
    <E extends Enum<E>> E named(Class<E> type) {
        return Enum.valueOf(type, string().toUpperCase(Locale.ROOT));
    }

    /** A value that may be absent; null where it is. */
    <T> T optional(Function<Reply, T> read) {
        return flag() ? read.apply(this) : null;
    }

    <T> List<T> list(Function<Reply, T> read) {
        int count = bytes.getInt();
        List<T> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(read.apply(this));
        }
        return Collections.unmodifiableList(values);
    }
}
