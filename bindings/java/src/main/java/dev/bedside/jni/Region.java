package dev.bedside.jni;

/** A rectangle in the upright picture, in fractions of its width from the left and of its height from the top. */
public final class Region {
    private final float left;
    private final float top;
    private final float width;
    private final float height;

    /**
     * A rectangle. A call whose query has it fails with {@code INVALID_QUERY} where it is out of range.
     *
     * @param left the left edge, 0 to 1
     * @param top the top edge, 0 to 1
     * @param width the width, above 0 and at most 1
     * @param height the height, above 0 and at most 1
     */
    public Region(float left, float top, float width, float height) {
        this.left = left;
        this.top = top;
        this.width = width;
        this.height = height;
    }

    void write(Request request) {
        request.float32(left).float32(top).float32(width).float32(height);
    }
}
