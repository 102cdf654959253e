package dev.bedside.jni;

import java.util.Arrays;
import java.util.Objects;

/**
 * The layout of a picture's bytes, and the rotation that brings it upright. Widths and heights are in pixels. A row
 * stride is the number of bytes from one row to the next; the last row may end with its last pixel.
 */
public final class FrameFormat {
    private static final int ENCODED = 0;
    private static final int RGB8 = 1;
    private static final int RGBA8 = 2;
    private static final int BGRA8 = 3;
    private static final int GRAY8 = 4;
    private static final int YUV420 = 5;

    private final byte[] layout;
    private final Rotation rotation;
    private final boolean mirrored;

    private FrameFormat(byte[] layout, Rotation rotation, boolean mirrored) {
        this.layout = layout;
        this.rotation = Objects.requireNonNull(rotation, "rotation");
        this.mirrored = mirrored;
    }

    /** An encoded file: JPEG, PNG, WebP, BMP, TIFF or DICOM, recognised by its first bytes. */
    public static FrameFormat encoded() {
        return of(new Request().int8(ENCODED));
    }

    /** Red, green, blue; 8 bits each; {@code rowStride} at least 3 × {@code width}. */
    public static FrameFormat rgb8(int width, int height, int rowStride) {
        return packed(RGB8, width, height, rowStride);
    }

    /**
     * Red, green, blue, alpha; 8 bits each, not premultiplied; composited over white; {@code rowStride} at least
     * 4 × {@code width}.
     */
    public static FrameFormat rgba8(int width, int height, int rowStride) {
        return packed(RGBA8, width, height, rowStride);
    }

    /**
     * Blue, green, red, alpha; 8 bits each, not premultiplied; composited over white; {@code rowStride} at least
     * 4 × {@code width}.
     */
    public static FrameFormat bgra8(int width, int height, int rowStride) {
        return packed(BGRA8, width, height, rowStride);
    }

    /** Grey; 8 bits; {@code rowStride} at least {@code width}. */
    public static FrameFormat gray8(int width, int height, int rowStride) {
        return packed(GRAY8, width, height, rowStride);
    }

    /**
     * Three planes: a sample of Y for every pixel, one of U and of V for every two by two pixels, odd sizes rounded up.
     */
    public static FrameFormat yuv420(int width, int height, YuvStrides strides, YuvMatrix matrix, YuvRange range) {
        Request request = new Request().int8(YUV420).int32(width).int32(height);
        strides.write(request);
        return of(request.int8(matrix.ordinal()).int8(range.ordinal()));
    }

    /** The same format with this rotation, which brings the picture upright; {@code UPRIGHT} unless given. */
    public FrameFormat rotated(Rotation rotation) {
        return new FrameFormat(layout, rotation, mirrored);
    }

    /** The same format with left and right exchanged after the rotation, as front cameras exchange them. */
    public FrameFormat mirrored() {
        return new FrameFormat(layout, rotation, !mirrored);
    }

    /** The format as the library reads it. */
    byte[] toBytes() {
        byte[] bytes = Arrays.copyOf(layout, layout.length + 2);
        bytes[layout.length] = (byte) rotation.ordinal();
        bytes[layout.length + 1] = (byte) (mirrored ? 1 : 0);
        return bytes;
    }

    private static FrameFormat packed(int layout, int width, int height, int rowStride) {
        return of(new Request().int8(layout).int32(width).int32(height).int32(rowStride));
    }

    private static FrameFormat of(Request layout) {
        return new FrameFormat(layout.toBytes(), Rotation.UPRIGHT, false);
    }
}
