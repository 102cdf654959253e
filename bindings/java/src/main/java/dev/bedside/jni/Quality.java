package dev.bedside.jni;

/**
 * Measures of a picture, or of the query's region of it. All are ratios without a unit, finite, and at least 0.
 *
 * <p>Y is ITU-R BT.601 luma of the model's input before normalisation, in whole levels of 0 to 255.
 */
public final class Quality {
    private final float focus;
    private final float dark;
    private final float bright;
    private final float contrast;
    private final float color;
    private final float size;

    Quality(Reply reply) {
        focus = reply.float32();
        dark = reply.float32();
        bright = reply.float32();
        contrast = reply.float32();
        color = reply.float32();
        size = reply.float32();
    }

    /**
     * How fine the detail is: from 0, 0.3 to 0.9 in most sharp photos, and about 1.7 for noise alone. Low where the
     * picture is out of focus.
     */
    public float getFocus() {
        return focus;
    }

    /** 0 to 1: 1 less the 95th percentile of Y over 255. High where even the brightest part is dark. */
    public float getDark() {
        return dark;
    }

    /** The share of pixels, 0 to 1, with a Y of at least 250. */
    public float getBright() {
        return bright;
    }

    /** The standard deviation of Y over 127.5, 0 to 1. */
    public float getContrast() {
        return contrast;
    }

    /**
     * The share of coloured pixels, 0 to 1: those whose largest and smallest of red, green and blue differ by at least
     * 24, or by at least 8 where the model was made for grey.
     */
    public float getColor() {
        return color;
    }

    /**
     * The width of the region over that of the model's input, or the height over the height where that is less, in
     * pixels of the file or frame before any scaling. Above 0.
     */
    public float getSize() {
        return size;
    }
}
