package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Misuse of an object that the library holds is an exception, never a crash. */
class LifetimesTest {
    private static final FrameFormat ONE_PIXEL = FrameFormat.gray8(1, 1, 1);

    @Test
    void classifier_refuses_every_call_once_closed() throws BedsideException {
        Classifier classifier = TinyModel.open();
        classifier.close();
        Image picture = TinyModel.picture();
        ByteBuffer pixel = ByteBuffer.allocateDirect(1);
        assertRefused("classifier", List.of(
                () -> classifier.classify(picture),
                () -> classifier.classifyFrame(pixel, ONE_PIXEL),
                () -> classifier.classifyYuv420(pixel, pixel, pixel, ONE_PIXEL),
                () -> classifier.check(Query.DEFAULT),
                () -> classifier.scopeReasons(Query.DEFAULT),
                classifier::warmUp,
                classifier::selfTest,
                () -> classifier.scores(picture),
                classifier::manifest,
                classifier::identity,
                classifier::loadTimesMs));
    }

    @Test
    void image_refuses_every_call_once_closed() throws BedsideException {
        Image image = TinyModel.picture();
        image.close();
        try (Classifier classifier = TinyModel.open()) {
            assertRefused("image", List.of(
                    () -> image.rotated(Rotation.CLOCKWISE90),
                    image::mirrored,
                    () -> image.frame(0),
                    image::frames,
                    () -> image.numberedWindow(0),
                    () -> image.window(40, 400),
                    () -> classifier.classify(image),
                    () -> classifier.scores(image)));
        }
    }

    @Test
    void cancel_handle_refuses_every_call_once_closed() throws BedsideException {
        CancelHandle handle = new CancelHandle();
        handle.close();
        Query query = Query.builder().cancel(handle).build();
        try (Classifier classifier = TinyModel.open(); Image picture = TinyModel.picture()) {
            assertRefused("cancel handle", List.of(
                    handle::cancel,
                    handle::isCancelled,
                    () -> classifier.check(query),
                    () -> classifier.scopeReasons(query),
                    () -> classifier.classify(picture, query),
                    () -> classifier.classifyFrame(ByteBuffer.allocateDirect(1), ONE_PIXEL, query)));
        }
    }

    @Test
    void rotated_image_outlives_the_original() throws BedsideException {
        try (Classifier classifier = TinyModel.open()) {
            Image image = TinyModel.picture();
            Image rotated = image.rotated(Rotation.CLOCKWISE90);
            List<FindingValue> wanted = FindingValue.of(classifier.classify(rotated));
            image.close();
            assertEquals(wanted, FindingValue.of(classifier.classify(rotated)));
        }
    }

    @Test
    void handle_closed_many_times_is_closed_once() throws Exception {
        List<Long> closed = new CopyOnWriteArrayList<>();
        List<Handle> handles = List.of(
                TinyModel.open(), TinyModel.picture(), new CancelHandle(), new RecordedHandle(7, closed));
        for (Handle handle : handles) {
            EightThreads.repeat(10, () -> {
                handle.close();
                return handle;
            });
        }
        assertEquals(List.of(7L), closed);
    }

    @Test
    void objects_closed_during_a_call_serve_it_to_its_end() throws Exception {
        Classifier classifier = TinyModel.open();
        Image picture = TinyModel.picture();
        CancelHandle handle = new CancelHandle();
        List<FindingValue> wanted = FindingValue.of(classifier.classify(picture));
        Stages.Block closeAll = () -> Stream.of(classifier, picture, handle).forEach(Handle::close);
        Stages.during(Stages.onAnotherThreadAfter("decode", closeAll), () -> {
            Query query = Query.builder().cancel(handle).build();
            assertEquals(wanted, FindingValue.of(classifier.classify(picture, query)));
        });
        assertThrows(IllegalStateException.class, () -> classifier.classify(TinyModel.picture()));
    }

    @Test
    void classifier_closed_under_eight_calling_threads_gives_reports_or_exceptions() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(EightThreads.COUNT);
        int reports = 0;
        for (int round = 0; round < 40; round++) {
            Classifier classifier = TinyModel.open();
            Image picture = TinyModel.picture();
            List<FindingValue> wanted = FindingValue.of(classifier.classify(picture));
            Callable<Integer> callUntilClosed = () -> reportsUntilClosed(classifier, picture, wanted);
            List<Future<Integer>> callers =
                    Stream.generate(() -> threads.submit(callUntilClosed)).limit(EightThreads.COUNT).toList();
            Thread.sleep(2);
            (round % 2 == 0 ? classifier : picture).close();
            for (Future<Integer> caller : callers) {
                reports += caller.get();
            }
            classifier.close();
            picture.close();
        }
        threads.shutdown();
        assertTrue(reports > 0, "no thread got a report before the close");
    }

    private static int reportsUntilClosed(Classifier classifier, Image picture, List<FindingValue> wanted)
            throws BedsideException {
        long deadline = System.nanoTime() + 30_000_000_000L;
        for (int reports = 0; System.nanoTime() < deadline; reports++) {
            try {
                assertEquals(wanted, FindingValue.of(classifier.classify(picture)));
            } catch (IllegalStateException closed) {
                return reports;
            }
        }
        throw new AssertionError("still open");
    }

    @Test
    void classifier_and_image_open_and_close_on_eight_threads_at_once() throws Exception {
        String model = TinyModel.file();
        List<FindingValue> wanted;
        try (Classifier classifier = TinyModel.open()) {
            wanted = FindingValue.of(classifier.classify(TinyModel.picture()));
        }
        List<List<FindingValue>> all = EightThreads.repeat(50, () -> {
            try (Classifier classifier = Classifier.open(model);
                    Image picture = TinyModel.picture();
                    Image rotated = picture.rotated(Rotation.CLOCKWISE180);
                    Image back = rotated.rotated(Rotation.UPRIGHT);
                    CancelHandle handle = new CancelHandle()) {
                assertFalse(handle.isCancelled());
                return FindingValue.of(classifier.classify(back, Query.builder().cancel(handle).build()));
            }
        });
        assertTrue(all.stream().allMatch(wanted::equals));
        assertEquals(400, all.size());
    }

    private static void assertRefused(String what, List<Executable> calls) {
        for (Executable call : calls) {
            String message = assertThrows(IllegalStateException.class, call).getMessage();
            assertEquals("the " + what + " is closed", message);
        }
    }
}
