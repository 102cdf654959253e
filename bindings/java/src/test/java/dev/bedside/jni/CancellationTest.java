package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Cancelling reaches the core, which stops at its next stage. */
class CancellationTest {
    private final Classifier classifier = Tiny.open();
    private final Image picture = Tiny.picture();

    CancellationTest() throws BedsideException {}

    @Test
    void a_handle_used_on_another_thread_ends_a_classification_in_flight_at_its_next_stage() throws Exception {
        for (int last = 0; last < 3; last++) {
            CancelHandle handle = new CancelHandle();
            Query query = Query.builder().cancel(handle).build();
            List<String> ended = Stages.during(
                    Stages.elsewhereAfter(Stages.ALL.get(last), handle::cancel),
                    () -> assertCancelled(() -> classifier.classify(picture, query)));
            assertEquals(Stages.ALL.subList(0, last + 1), ended);
            assertTrue(handle.isCancelled());
        }
    }

    @Test
    void frames_end_alike() throws Exception {
        ByteBuffer grey = ByteBuffer.allocateDirect(16);
        YuvStrides strides = new YuvStrides(2, 1, 1, 1, 1, 1);
        FrameFormat yuv = FrameFormat.yuv420(2, 2, strides, YuvMatrix.BT601, YuvRange.FULL);
        CancelHandle first = new CancelHandle();
        CancelHandle second = new CancelHandle();
        Query one = Query.builder().cancel(first).build();
        Query other = Query.builder().cancel(second).build();
        assertEquals(List.of("decode"), Stages.during(
                Stages.elsewhereAfter("decode", first::cancel),
                () -> assertCancelled(() -> classifier.classifyFrame(grey, FrameFormat.gray8(4, 4, 4), one))));
        assertEquals(List.of("decode"), Stages.during(
                Stages.elsewhereAfter("decode", second::cancel),
                () -> assertCancelled(() -> classifier.classifyYuv420(grey, grey, grey, yuv, other))));
    }

    @Test
    void a_used_handle_ends_every_later_classification_before_it_begins() throws Exception {
        CancelHandle handle = new CancelHandle();
        Query query = Query.builder().cancel(handle).build();
        classifier.classify(picture, query);
        assertFalse(handle.isCancelled());
        handle.cancel();
        handle.cancel();
        assertEquals(List.of(), Stages.during(stage -> {}, () -> {
            assertCancelled(() -> classifier.classify(picture, query));
            assertCancelled(() -> classifier.classify(picture, query));
        }));
    }

    @Test
    void one_handle_ends_eight_classifications() throws Exception {
        CancelHandle handle = new CancelHandle();
        Query query = Query.builder().cancel(handle).build();
        List<BedsideException> errors = new ArrayList<>();
        Stages.during(Stages.elsewhereAfter("preprocess", handle::cancel), () -> errors.addAll(Crowd.of(1, () ->
                assertThrows(BedsideException.class, () -> classifier.classify(picture, query)))));
        assertEquals(
                Collections.nCopies(Crowd.SIZE, ErrorKind.CANCELLED),
                errors.stream().map(BedsideException::getKind).toList());
    }

    @Test
    void a_handle_closed_during_the_call_does_no_harm() throws Exception {
        CancelHandle handle = new CancelHandle();
        Query query = Query.builder().cancel(handle).build();
        List<String> ended = Stages.during(
                Stages.elsewhereAfter("decode", handle::close), () -> classifier.classify(picture, query));
        assertEquals(Stages.ALL, ended, "nothing was left to cancel it by");
    }

    private static void assertCancelled(Executable call) {
        assertEquals(ErrorKind.CANCELLED, assertThrows(BedsideException.class, call).getKind());
    }
}
