package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.util.Objects;

/**
 * A picture that the library keeps: the bytes of a file, or a copy of a frame.
 *
 * <p>It is decoded inside {@code classify}, at the scale that the model needs, and rotated upright by its EXIF
 * orientation. Many threads may classify one picture at once, any number of times.
 */
public final class Image extends Handle {
    private Image(byte[] reply, Handle... held) throws BedsideException {
        super(Reply.of(reply, held).handle(), number -> Native.closeImage(number));
    }

    /**
     * Reads a file of at most 256 MiB: JPEG, PNG, WebP, BMP or TIFF. The format is recognised by the content, which is
     * checked when the picture is classified.
     *
     * @throws BedsideException with {@code IO} or {@code TOO_LARGE}
     */
    public static Image open(String path) throws BedsideException {
        return new Image(Native.openImage(Request.of(Objects.requireNonNull(path, "path"))));
    }

    /** Copies the bytes of such a file, which are checked when the picture is classified. */
    public static Image fromBytes(byte[] file) throws BedsideException {
        return new Image(Native.imageFromBytes(Objects.requireNonNull(file, "file")));
    }

    /**
     * Copies a frame of one plane, or an encoded file.
     *
     * @param pixels a direct buffer; the bytes from its position to its limit are the frame
     * @throws BedsideException with {@code MALFORMED_IMAGE} where the pixels do not fit the format; with
     *     {@code TOO_LARGE} where the frame has more than 256 MiB
     * @throws IllegalArgumentException where the buffer is not direct
     */
    public static Image fromFrame(ByteBuffer pixels, FrameFormat format) throws BedsideException {
        return new Image(Native.imageFromPlanes(Planes.of(pixels, "pixels"), null, null, format.toBytes()));
    }

    /**
     * Copies a YUV 4:2:0 frame, whose planes are given as {@link Classifier#classifyYuv420} takes them.
     *
     * @throws BedsideException with {@code MALFORMED_IMAGE} where the planes do not fit the format; with
     *     {@code TOO_LARGE} where they have more than 256 MiB
     * @throws IllegalArgumentException where a buffer is not direct
     */
    public static Image fromYuv420(ByteBuffer y, ByteBuffer u, ByteBuffer v, FrameFormat format)
            throws BedsideException {
        byte[] reply = Native.imageFromPlanes(
                Planes.of(y, "y"), Planes.of(u, "u"), Planes.of(v, "v"), format.toBytes());
        return new Image(reply);
    }

    /**
     * The same picture with this rotation, which brings it upright, instead of an earlier one. A rotation that is
     * stored in the file is applied first.
     */
    public Image rotated(Rotation rotation) throws BedsideException {
        return new Image(Native.rotated(number(), rotation.ordinal()), this);
    }

    /**
     * Draws a heatmap over the picture, upright and in grey, with a legend in English below: the bytes of a PNG of at
     * most 1024 pixels a side. The picture must be the one that was classified, with the same rotation and mirroring.
     *
     * @throws BedsideException with {@code INVALID_QUERY} where the picture has another size than the classified one;
     *     as {@link Classifier#classify} where it can't be decoded
     */
    public byte[] overlay(Heatmap heatmap) throws BedsideException {
        return Reply.of(Native.overlay(number(), heatmap.toBytes()), this).file();
    }

    /** The same picture with left and right exchanged after the rotation. */
    public Image mirrored() throws BedsideException {
        return new Image(Native.mirrored(number()), this);
    }
}
