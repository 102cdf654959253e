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
     * Reads a file of at most 256 MiB: JPEG, PNG, WebP, BMP or TIFF; a DICOM file may have more, and is read when the
     * picture is classified. The format is recognised by the content, which is checked then.
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

    /**
     * The same picture with this frame of a DICOM file, from 0, instead of the first. A frame that is not there is an
     * error of {@code classify}, {@code INVALID_QUERY}.
     *
     * @throws BedsideException with {@code INVALID_QUERY} where the number is below 0
     */
    public Image frame(int number) throws BedsideException {
        return new Image(Native.frame(number(), number), this);
    }

    /**
     * The number of frames of a DICOM file; 1 of any other picture.
     *
     * @throws BedsideException as {@link Classifier#classify} where the file can't be read
     */
    public int frames() throws BedsideException {
        return Reply.of(Native.frames(number()), this).int32();
    }

    /**
     * The same picture with a DICOM file's window or table of this number, from 0, its tables first, instead of the
     * first. One that is not there is an error of {@code classify}, {@code INVALID_QUERY}.
     *
     * @throws BedsideException with {@code INVALID_QUERY} where the number is below 0
     */
    public Image numberedWindow(int number) throws BedsideException {
        return new Image(Native.numberedWindow(number(), number), this);
    }

    /**
     * The same picture, of which an ultrasound frame of a DICOM file is looked at as a whole, with what its scanner draws
     * around the tissue.
     */
    public Image whole() throws BedsideException {
        return new Image(Native.whole(number()), this);
    }

    /**
     * The picture as it is looked at, upright, as a PNG of at most {@code maxSide} pixels a side: of a DICOM file the
     * chosen frame as it is shown, and of an ultrasound frame the part that is looked at. Do not call it on a thread that
     * draws a screen.
     *
     * @throws BedsideException {@code INVALID_QUERY} where {@code maxSide} is less than 1, and as {@code classify} does
     *     where the picture can't be decoded
     */
    public byte[] shown(int maxSide) throws BedsideException {
        return Reply.of(Native.shown(number(), maxSide), this).file();
    }

    /**
     * The same picture with a window of this center and width, in the units of a DICOM file's values, instead of its
     * own windows. A width of less than 1 is an error of {@code classify}, {@code INVALID_QUERY}.
     */
    public Image window(double center, double width) throws BedsideException {
        return new Image(Native.window(number(), center, width), this);
    }
}
