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

/** Misuse of what the library keeps is an exception, never a crash. */
class LifetimesTest {
    private static final FrameFormat ONE_PIXEL = FrameFormat.gray8(1, 1, 1);

    @Test
    void every_call_on_a_closed_classifier_is_refused() throws BedsideException {
        Classifier classifier = Tiny.open();
        classifier.close();
        Image picture = Tiny.picture();
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
    void every_call_on_a_closed_image_is_refused() throws BedsideException {
        Image image = Tiny.picture();
        image.close();
        try (Classifier classifier = Tiny.open()) {
            assertRefused("image", List.of(
                    () -> image.rotated(Rotation.CLOCKWISE90),
                    image::mirrored,
                    () -> classifier.classify(image),
                    () -> classifier.scores(image)));
        }
    }

    @Test
    void every_call_on_a_closed_cancel_handle_is_refused() throws BedsideException {
        CancelHandle handle = new CancelHandle();
        handle.close();
        Query query = Query.builder().cancel(handle).build();
        try (Classifier classifier = Tiny.open(); Image picture = Tiny.picture()) {
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
    void a_turned_picture_outlives_the_one_it_was_made_of() throws BedsideException {
        try (Classifier classifier = Tiny.open()) {
            Image image = Tiny.picture();
            Image turned = image.rotated(Rotation.CLOCKWISE90);
            List<Found> wanted = Found.in(classifier.classify(turned));
            image.close();
            assertEquals(wanted, Found.in(classifier.classify(turned)));
        }
    }

    @Test
    void closing_twice_is_closing_once() throws Exception {
        List<Long> closed = new CopyOnWriteArrayList<>();
        for (Handle handle : List.of(Tiny.open(), Tiny.picture(), new CancelHandle(), new Noted(7, closed))) {
            Crowd.of(10, () -> {
                handle.close();
                return handle;
            });
        }
        assertEquals(List.of(7L), closed);
    }

    @Test
    void what_is_closed_during_a_call_serves_that_call_to_its_end() throws Exception {
        Classifier classifier = Tiny.open();
        Image picture = Tiny.picture();
        CancelHandle handle = new CancelHandle();
        List<Found> wanted = Found.in(classifier.classify(picture));
        Stages.Block closeAll = () -> Stream.of(classifier, picture, handle).forEach(Handle::close);
        Stages.during(Stages.elsewhereAfter("decode", closeAll), () -> {
            Query query = Query.builder().cancel(handle).build();
            assertEquals(wanted, Found.in(classifier.classify(picture, query)));
        });
        assertThrows(IllegalStateException.class, () -> classifier.classify(Tiny.picture()));
    }

    @Test
    void closing_while_eight_threads_call_gives_each_a_report_or_an_exception() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(Crowd.SIZE);
        int reports = 0;
        for (int round = 0; round < 40; round++) {
            Classifier classifier = Tiny.open();
            Image picture = Tiny.picture();
            List<Found> wanted = Found.in(classifier.classify(picture));
            Callable<Integer> callUntilClosed = () -> reportsUntilClosed(classifier, picture, wanted);
            List<Future<Integer>> callers =
                    Stream.generate(() -> threads.submit(callUntilClosed)).limit(Crowd.SIZE).toList();
            Thread.sleep(2);
            (round % 2 == 0 ? classifier : picture).close();
            for (Future<Integer> caller : callers) {
                reports += caller.get();
            }
            classifier.close();
            picture.close();
        }
        threads.shutdown();
        assertTrue(reports > 0, "nobody was in time for a report");
    }

    private static int reportsUntilClosed(Classifier classifier, Image picture, List<Found> wanted)
            throws BedsideException {
        long patience = System.nanoTime() + 30_000_000_000L;
        for (int reports = 0; System.nanoTime() < patience; reports++) {
            try {
                assertEquals(wanted, Found.in(classifier.classify(picture)));
            } catch (IllegalStateException closed) {
                return reports;
            }
        }
        throw new AssertionError("still open");
    }

    @Test
    void eight_threads_open_and_close_side_by_side() throws Exception {
        String model = Tiny.file();
        List<Found> wanted;
        try (Classifier classifier = Tiny.open()) {
            wanted = Found.in(classifier.classify(Tiny.picture()));
        }
        List<List<Found>> all = Crowd.of(50, () -> {
            try (Classifier classifier = Classifier.open(model);
                    Image picture = Tiny.picture();
                    Image turned = picture.rotated(Rotation.CLOCKWISE180);
                    Image back = turned.rotated(Rotation.UPRIGHT);
                    CancelHandle handle = new CancelHandle()) {
                assertFalse(handle.isCancelled());
                return Found.in(classifier.classify(back, Query.builder().cancel(handle).build()));
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
