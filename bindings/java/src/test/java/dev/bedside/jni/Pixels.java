package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A picture as rows of samples without padding, {@code channels} bytes for each pixel. */
record Pixels(int width, int height, int channels, byte[] bytes) {
    /** Differs from neighbouring samples, so that a read outside of the picture changes its scores. */
    static final byte PADDING = 0x5a;

    private static final Pattern HEADER = Pattern.compile("P6\\s(\\d+)\\s(\\d+)\\s255\\s");

    /** Gives the position (x, y) that a pixel is copied from. */
    interface Source {
        int[] of(int x, int y);
    }

    /** Reads a binary PPM, which holds the samples as they are. */
    static Pixels ppm(String path) {
        byte[] file = Repository.bytes(path);
        Matcher header = HEADER.matcher(new String(file, 0, 20, StandardCharsets.ISO_8859_1));
        if (!header.lookingAt()) {
            throw new IllegalArgumentException(path + " is not a binary PPM");
        }
        byte[] samples = Arrays.copyOfRange(file, header.end(), file.length);
        return new Pixels(Integer.parseInt(header.group(1)), Integer.parseInt(header.group(2)), 3, samples);
    }

    byte[] pixel(int x, int y) {
        int start = (y * width + x) * channels;
        return Arrays.copyOfRange(bytes, start, start + channels);
    }

    /** A picture of this size whose pixel at (x, y) is copied from the position that the source gives. */
    Pixels rearranged(int width, int height, Source source) {
        ByteBuffer moved = ByteBuffer.allocate(width * height * channels);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int[] place = source.of(x, y);
                moved.put(pixel(place[0], place[1]));
            }
        }
        return new Pixels(width, height, channels, moved.array());
    }

    /** The same picture with each pixel encoded in other bytes. */
    Pixels recoded(int channels, UnaryOperator<byte[]> recode) {
        ByteBuffer recoded = ByteBuffer.allocate(width * height * channels);
        for (int number = 0; number < width * height; number++) {
            recoded.put(recode.apply(pixel(number % width, number / width)));
        }
        return new Pixels(width, height, channels, recoded.array());
    }

    /** The rows at this stride in bytes, with padding between them. The last row ends with its last pixel. */
    byte[] rows(int stride) {
        int row = width * channels;
        byte[] padded = new byte[(height - 1) * stride + row];
        Arrays.fill(padded, PADDING);
        for (int y = 0; y < height; y++) {
            System.arraycopy(bytes, y * row, padded, y * stride, row);
        }
        return padded;
    }

    int stride() {
        return width * channels;
    }

    ByteBuffer buffer() {
        return direct(bytes);
    }

    static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    }

    /**
     * A direct buffer whose position is above 0 and whose limit is below its capacity, with these bytes between them.
     */
    static ByteBuffer insideLargerBuffer(byte[] bytes) {
        int margin = 13;
        ByteBuffer buffer = ByteBuffer.allocateDirect(margin + bytes.length + margin);
        while (buffer.hasRemaining()) {
            buffer.put(PADDING);
        }
        return buffer.position(margin).put(bytes).flip().position(margin);
    }
}
