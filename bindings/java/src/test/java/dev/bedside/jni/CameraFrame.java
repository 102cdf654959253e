package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A camera frame of 37×23 samples: three planes, each in its buffer, and how they lie there. */
record CameraFrame(ByteBuffer y, ByteBuffer u, ByteBuffer v, YuvStrides strides) {
    static final int WIDTH = 37;
    static final int HEIGHT = 23;

    private static final int LUMA = WIDTH * HEIGHT;
    private static final int COLUMNS = 19;
    private static final int CHROMA = COLUMNS * 12;

    /** U, then V. */
    static CameraFrame planar() {
        ByteBuffer all = all("i420");
        ByteBuffer u = part(all, LUMA, LUMA + CHROMA);
        ByteBuffer v = part(all, LUMA + CHROMA, LUMA + 2 * CHROMA);
        return new CameraFrame(part(all, 0, LUMA), u, v, new YuvStrides(WIDTH, 1, COLUMNS, 1, COLUMNS, 1));
    }

    /** U and V in turns, U first. */
    static CameraFrame alternating() {
        ByteBuffer all = all("nv12");
        return alternating(all, LUMA, LUMA + 1);
    }

    /** V and U in turns, V first. */
    static CameraFrame alternatingVFirst() {
        ByteBuffer all = all("nv21");
        return alternating(all, LUMA + 1, LUMA);
    }

    FrameFormat format(YuvMatrix matrix, YuvRange range) {
        return FrameFormat.yuv420(WIDTH, HEIGHT, strides, matrix, range);
    }

    Report classified(Classifier classifier, YuvMatrix matrix, YuvRange range) throws BedsideException {
        return classifier.classifyYuv420(y, u, v, format(matrix, range));
    }

    /** The same planes in read-only buffers inside of others, at strides that differ. */
    CameraFrame apart() {
        YuvStrides strides = new YuvStrides(WIDTH + 5, 1, 3 * COLUMNS + 5, 3, 2 * COLUMNS + 5, 2);
        return new CameraFrame(apart(y, WIDTH, 1), apart(u, COLUMNS, 3), apart(v, COLUMNS, 2), strides);
    }

    private static CameraFrame alternating(ByteBuffer all, int u, int v) {
        int end = LUMA + 2 * CHROMA;
        YuvStrides strides = new YuvStrides(WIDTH, 1, 2 * COLUMNS, 2, 2 * COLUMNS, 2);
        return new CameraFrame(part(all, 0, LUMA), part(all, u, end), part(all, v, end), strides);
    }

    private static ByteBuffer all(String order) {
        return Pixels.direct(Repository.bytes("tests/golden/image/yuv/" + order + ".bin"));
    }

    private static ByteBuffer part(ByteBuffer all, int start, int end) {
        return all.duplicate().position(start).limit(end);
    }

    /** A plane's samples moved apart, with 5 bytes more at the end of each row. */
    private static ByteBuffer apart(ByteBuffer plane, int width, int pixelStride) {
        byte[] samples = new byte[plane.remaining()];
        plane.duplicate().get(samples);
        Pixels spread = new Pixels(width, samples.length / width, 1, samples).recoded(pixelStride, sample -> {
            byte[] padded = new byte[pixelStride];
            Arrays.fill(padded, Pixels.NO_PIXEL);
            padded[0] = sample[0];
            return padded;
        });
        return Pixels.insideOfAnother(spread.rows(width * pixelStride + 5)).asReadOnlyBuffer();
    }
}
