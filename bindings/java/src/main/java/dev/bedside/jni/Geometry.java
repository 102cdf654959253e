package dev.bedside.jni;

/**
 * Which part of a picture was looked at, in pixels as they are stored: before the EXIF orientation and any rotation,
 * cropping and reduction.
 */
public final class Geometry {
    private final int pictureWidth;
    private final int pictureHeight;
    private final double[] edges;
    private final double[] spacing;
    private final boolean spacingAtDetector;

    Geometry(Reply reply) {
        pictureWidth = reply.int32();
        pictureHeight = reply.int32();
        edges = reply.float64s(4);
        spacing = reply.optional(values -> values.float64s(2));
        spacingAtDetector = reply.flag();
    }

    /** The width of the stored picture. */
    public int getPictureWidth() {
        return pictureWidth;
    }

    /** The height of the stored picture. */
    public int getPictureHeight() {
        return pictureHeight;
    }

    /**
     * The left edge of the part that was decoded: the whole picture, or the query's region, or of an ultrasound frame of
     * DICOM its tissue. The network need not have seen all of it, where the model crops.
     */
    public double getLeft() {
        return edges[0];
    }

    /** Its top edge. */
    public double getTop() {
        return edges[1];
    }

    /** Its right edge. */
    public double getRight() {
        return edges[2];
    }

    /** Its bottom edge. */
    public double getBottom() {
        return edges[3];
    }

    /**
     * Millimetres from column to column and from row to row of the stored picture, each above 0; null where the file does
     * not say. Only DICOM files say.
     */
    public double[] getSpacingMm() {
        return spacing == null ? null : spacing.clone();
    }

    /** Whether the spacing is known to be that of a detector behind the body, so that lengths in the body are less. */
    public boolean isSpacingAtDetector() {
        return spacingAtDetector;
    }
}
