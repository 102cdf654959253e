package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A picture to look at, kept by the library: the bytes of a file, or a copy of a frame.
 *
 * <p>It is decoded inside {@code classify}, at the scale that the model needs, and brought upright by its EXIF
 * orientation. One picture may be looked at by many threads, and as often as you like.
 */
public final class Image extends Handle {
    private Image(byte[] reply, Handle... held) throws BedsideException {
        super(Reply.of(reply, held).handle(), number -> Native.closeImage(number));
    }

    /**
     * Reads a file: JPEG, PNG, WebP, BMP or TIFF, told by its content, of at most 256 MiB.
     *
     * @throws BedsideException {@code IO}, {@code TOO_LARGE}
     */
    public static Image open(String path) throws BedsideException {
        return new Image(Native.openImage(Request.of(Objects.requireNonNull(path, "path"))));
    }

    /** Takes a copy of the bytes of such a file. They are looked at when it is classified. */
    public static Image fromBytes(byte[] file) throws BedsideException {
        return new Image(Native.imageFromBytes(Objects.requireNonNull(file, "file")));
    }

    /**
     * Copies a frame.
     *
     * @param pixels a direct buffer; its bytes from position to limit are the frame
     * @throws BedsideException {@code MALFORMED_IMAGE} where they do not fit the format
     * @throws IllegalArgumentException where the buffer is not direct
     */
    public static Image fromFrame(ByteBuffer pixels, FrameFormat format) throws BedsideException {
        return new Image(Native.imageFromPlanes(Planes.of(pixels, "pixels"), null, null, format.toBytes()));
    }

    /**
     * Copies a frame of three planes.
     *
     * @throws BedsideException {@code MALFORMED_IMAGE} where they do not fit the format
     * @throws IllegalArgumentException where a buffer is not direct
     */
    public static Image fromYuv420(ByteBuffer y, ByteBuffer u, ByteBuffer v, FrameFormat format)
            throws BedsideException {
        byte[] reply = Native.imageFromPlanes(
                Planes.of(y, "y"), Planes.of(u, "u"), Planes.of(v, "v"), format.toBytes());
        return new Image(reply);
    }

    /** The same picture with another turn that brings it upright; a turn stored in the file is done first. */
    public Image rotated(Rotation rotation) throws BedsideException {
        return new Image(Native.rotated(number(), rotation.ordinal()), this);
    }

    /** The same picture with left and right exchanged, once it is upright. */
    public Image mirrored() throws BedsideException {
        return new Image(Native.mirrored(number()), this);
    }
}
