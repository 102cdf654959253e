package dev.bedside.jni;

import java.nio.ByteBuffer;

/**
 * A program that prints, while a classification runs, whether the library still holds the objects of the call, which
 * have no other reference. CollectionTest runs it with compiled code only, because the interpreter keeps every argument
 * to the end of a method.
 */
final class HeldDuringCalls {
    private static final FrameFormat GREY = FrameFormat.gray8(2, 2, 2);
    private static final FrameFormat YUV =
            FrameFormat.yuv420(2, 2, new YuvStrides(2, 1, 1, 1, 1, 1), YuvMatrix.BT601, YuvRange.FULL);

    private static long classifier;
    private static long image;
    private static long handle;

    private HeldDuringCalls() {}

    public static void main(String[] arguments) throws Exception {
        ByteBuffer pixels = ByteBuffer.allocateDirect(4);
        Stages.during(HeldDuringCalls::printHeldObjects, () ->
                recorded(TinyModel.open()).classify(recorded(TinyModel.picture()), query()));
        Stages.during(HeldDuringCalls::printHeldObjects, () ->
                recorded(TinyModel.open()).classifyFrame(pixels, GREY, query()));
        Stages.during(HeldDuringCalls::printHeldObjects, () ->
                recorded(TinyModel.open()).classifyYuv420(pixels, pixels, pixels, YUV, query()));
    }

    private static void printHeldObjects(String stage) {
        if (stage.equals("decode")) {
            for (int i = 0; i < 3; i++) {
                System.gc();
                sleep();
            }
            String picture = image == 0 ? "" : ", image " + held(Native.mirrored(image));
            String cancel = handle == 0 ? "" : ", cancel handle " + held(Native.isCancelled(handle));
            System.out.println("classifier " + held(Native.identity(classifier)) + picture + cancel);
            image = 0;
            handle = 0;
        }
    }

    private static String held(byte[] reply) {
        try {
            Reply.of(reply);
            return "held";
        } catch (IllegalStateException closed) {
            return "LOST";
        } catch (BedsideException error) {
            throw new AssertionError(error);
        }
    }

    private static Classifier recorded(Classifier opened) {
        classifier = opened.number();
        return opened;
    }

    private static Image recorded(Image opened) {
        image = opened.number();
        return opened;
    }

    private static Query query() throws BedsideException {
        CancelHandle opened = new CancelHandle();
        handle = opened.number();
        return Query.builder().cancel(opened).build();
    }

    private static void sleep() {
        try {
            Thread.sleep(50);
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }
}
