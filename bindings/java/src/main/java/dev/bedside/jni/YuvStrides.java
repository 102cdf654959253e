package dev.bedside.jni;

/**
 * Bytes from one sample to the next, in each plane of a YUV 4:2:0 frame: down a column, and along a row (1 in planar
 * frames, 2 where U and V alternate).
 */
public final class YuvStrides {
    private final int yRow;
    private final int yPixel;
    private final int uRow;
    private final int uPixel;
    private final int vRow;
    private final int vPixel;

    /** The strides of Y, U and V, in bytes: down, then along. */
    public YuvStrides(int yRow, int yPixel, int uRow, int uPixel, int vRow, int vPixel) {
        this.yRow = yRow;
        this.yPixel = yPixel;
        this.uRow = uRow;
        this.uPixel = uPixel;
        this.vRow = vRow;
        this.vPixel = vPixel;
    }

    void write(Request request) {
        request.integer(yRow).integer(yPixel).integer(uRow).integer(uPixel).integer(vRow).integer(vPixel);
    }
}
