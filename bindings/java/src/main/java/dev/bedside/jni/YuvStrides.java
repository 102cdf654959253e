package dev.bedside.jni;

/**
 * The bytes from one sample to the next in each plane of a YUV 4:2:0 frame: down a column (row stride), and along a row
 * (pixel stride: 1 in planar frames, 2 where U and V are interleaved).
 */
public final class YuvStrides {
    private final int yRow;
    private final int yPixel;
    private final int uRow;
    private final int uPixel;
    private final int vRow;
    private final int vPixel;

    /** The row stride and the pixel stride of Y, of U and of V, in bytes. */
    public YuvStrides(int yRow, int yPixel, int uRow, int uPixel, int vRow, int vPixel) {
        this.yRow = yRow;
        this.yPixel = yPixel;
        this.uRow = uRow;
        this.uPixel = uPixel;
        this.vRow = vRow;
        this.vPixel = vPixel;
    }

    void write(Request request) {
        request.int32(yRow).int32(yPixel).int32(uRow).int32(uPixel).int32(vRow).int32(vPixel);
    }
}
