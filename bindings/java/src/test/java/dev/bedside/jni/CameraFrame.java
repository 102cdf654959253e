package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.util.Arrays;

/** A camera frame of 37×23 pixels: three planes, each in a buffer, and their strides. */
record CameraFrame(ByteBuffer y, ByteBuffer u, ByteBuffer v, YuvStrides strides) {
    static final int WIDTH = 37;
    static final int HEIGHT = 23;

    private static final int LUMA = WIDTH * HEIGHT;
    private static final int COLUMNS = 19;
    private static final int CHROMA = COLUMNS * 12;

    /** The layout I420: separate planes. */
    static CameraFrame planar() {
        ByteBuffer all = all("i420");
        ByteBuffer u = part(all, LUMA, LUMA + CHROMA);
        ByteBuffer v = part(all, LUMA + CHROMA, LUMA + 2 * CHROMA);
        return new CameraFrame(part(all, 0, LUMA), u, v, new YuvStrides(WIDTH, 1, COLUMNS, 1, COLUMNS, 1));
    }

    /** The layout NV12: U and V interleaved, U first. */
    static CameraFrame interleaved() {
        ByteBuffer all = all("nv12");
        return interleaved(all, LUMA, LUMA + 1);
    }

    /** The layout NV21: V and U interleaved, V first. */
    static CameraFrame interleavedVFirst() {
        ByteBuffer all = all("nv21");
        return interleaved(all, LUMA + 1, LUMA);
    }

    FrameFormat format(YuvMatrix matrix, YuvRange range) {
        return FrameFormat.yuv420(WIDTH, HEIGHT, strides, matrix, range);
    }

    Report classified(Classifier classifier, YuvMatrix matrix, YuvRange range) throws BedsideException {
        return classifier.classifyYuv420(y, u, v, format(matrix, range));
    }

    /** The same planes in read-only parts of larger buffers, each with its own strides. */
    CameraFrame withSpreadSamples() {
        YuvStrides strides = new YuvStrides(WIDTH + 5, 1, 3 * COLUMNS + 5, 3, 2 * COLUMNS + 5, 2);
        return new CameraFrame(spread(y, WIDTH, 1), spread(u, COLUMNS, 3), spread(v, COLUMNS, 2), strides);
    }

    private static CameraFrame interleaved(ByteBuffer all, int u, int v) {
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

    /** The samples of a plane at this pixel stride, with 5 bytes of padding after each row. */
    private static ByteBuffer spread(ByteBuffer plane, int width, int pixelStride) {
        byte[] samples = new byte[plane.remaining()];
        plane.duplicate().get(samples);
        Pixels padded = new Pixels(width, samples.length / width, 1, samples).recoded(pixelStride, sample -> {
            byte[] cell = new byte[pixelStride];
            Arrays.fill(cell, Pixels.PADDING);
            cell[0] = sample[0];
            return cell;
        });
        return Pixels.insideLargerBuffer(padded.rows(width * pixelStride + 5)).asReadOnlyBuffer();
    }
}
