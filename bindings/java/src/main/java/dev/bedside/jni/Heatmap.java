package dev.bedside.jni;

import java.util.List;

/**
 * Where the evidence for a label lies in a picture: a grid of equal cells over the network's input. It shows what moved
 * the network, and not where a disease is. {@link Image#overlay} draws it.
 */
public final class Heatmap {
    private final String label;
    private final ExplainMethod method;
    private final int width;
    private final int height;
    private final List<Float> values;
    private final double[] frame;
    private final int[] picture;
    private final double[] seen;
    private final float max;
    private final boolean evidence;

    Heatmap(Reply reply) {
        label = reply.string();
        method = reply.named(ExplainMethod.class);
        width = reply.int32();
        height = reply.int32();
        values = reply.list(Reply::float32);
        frame = reply.float64s(6);
        picture = new int[] {reply.int32(), reply.int32()};
        seen = reply.float64s(4);
        max = reply.float32();
        evidence = reply.flag();
    }

    /** The heatmap as the library reads it. */
    byte[] toBytes() {
        Request request = new Request().string(label).int8(method.ordinal()).int32(width).int32(height);
        request.int32(values.size());
        values.forEach(request::float32);
        request.float64s(frame).int32(picture[0]).int32(picture[1]).float64s(seen);
        return request.float32(max).flag(evidence).toBytes();
    }

    /** The id of the label that the evidence is for. */
    public String getLabel() {
        return label;
    }

    /** How it was computed. */
    public ExplainMethod getMethod() {
        return method;
    }

    /** The number of columns of the grid. */
    public int getWidth() {
        return width;
    }

    /** The number of rows of the grid. */
    public int getHeight() {
        return height;
    }

    /**
     * The evidence in each cell, rows from the top, in logits before any calibration: {@code width} × {@code height}
     * finite values. A positive one speaks for the label, a negative one against it.
     */
    public List<Float> getValues() {
        return values;
    }

    /**
     * From the grid to the pixels of the picture as it is stored, before its EXIF orientation and any rotation: six
     * numbers a to f. The point (x, y) of the grid, where the cell in column i and row j covers i to i+1 and j to j+1,
     * is at (a·x + b·y + c, d·x + e·y + f).
     */
    public double[] getFrame() {
        return frame.clone();
    }

    /** The width and the height of the stored picture, in pixels. */
    public int[] getPicture() {
        return picture.clone();
    }

    /** The part of the stored picture that the network saw, in its pixels: left, top, right and bottom edge. */
    public double[] getSeen() {
        return seen.clone();
    }

    /** The largest value in a cell that lies, at least in part, in the part of the picture that the network saw. */
    public float getMax() {
        return max;
    }

    /** Whether {@code max} is above 0. Where it is not, nothing in the picture speaks for the label. */
    public boolean isEvidence() {
        return evidence;
    }
}
