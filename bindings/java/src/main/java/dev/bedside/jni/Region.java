package dev.bedside.jni;

/** A rectangle in the upright picture, in shares of its width and height: 0 to 1 from the left and from the top. */
public final class Region {
    private final float left;
    private final float top;
    private final float width;
    private final float height;

    /** A rectangle by its left and top edge, width and height. It is checked when it is used: {@code INVALID_QUERY}. */
    public Region(float left, float top, float width, float height) {
        this.left = left;
        this.top = top;
        this.width = width;
        this.height = height;
    }

    void write(Request request) {
        request.real(left).real(top).real(width).real(height);
    }
}
