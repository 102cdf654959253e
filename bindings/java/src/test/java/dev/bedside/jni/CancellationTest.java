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

/** A cancel handle ends a classification at its next stage. */
class CancellationTest {
    private final Classifier classifier = TinyModel.open();
    private final Image picture = TinyModel.picture();

    CancellationTest() throws BedsideException {}

    @Test
    void cancel_handle_used_on_another_thread_ends_a_classification_at_its_next_stage() throws Exception {
        for (int last = 0; last < 3; last++) {
            CancelHandle handle = new CancelHandle();
            Query query = Query.builder().cancel(handle).build();
            List<String> ended = Stages.during(
                    Stages.onAnotherThreadAfter(Stages.ALL.get(last), handle::cancel),
                    () -> assertCancelled(() -> classifier.classify(picture, query)));
            assertEquals(Stages.ALL.subList(0, last + 1), ended);
            assertTrue(handle.isCancelled());
        }
    }

    @Test
    void cancel_handle_ends_frame_classifications_at_their_next_stage() throws Exception {
        ByteBuffer grey = ByteBuffer.allocateDirect(16);
        YuvStrides strides = new YuvStrides(2, 1, 1, 1, 1, 1);
        FrameFormat yuv = FrameFormat.yuv420(2, 2, strides, YuvMatrix.BT601, YuvRange.FULL);
        CancelHandle first = new CancelHandle();
        CancelHandle second = new CancelHandle();
        Query one = Query.builder().cancel(first).build();
        Query other = Query.builder().cancel(second).build();
        assertEquals(List.of("decode"), Stages.during(
                Stages.onAnotherThreadAfter("decode", first::cancel),
                () -> assertCancelled(() -> classifier.classifyFrame(grey, FrameFormat.gray8(4, 4, 4), one))));
        assertEquals(List.of("decode"), Stages.during(
                Stages.onAnotherThreadAfter("decode", second::cancel),
                () -> assertCancelled(() -> classifier.classifyYuv420(grey, grey, grey, yuv, other))));
    }

    @Test
    void used_cancel_handle_ends_later_classifications_before_their_first_stage() throws Exception {
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
    void cancel_handle_ends_eight_classifications_at_once() throws Exception {
        CancelHandle handle = new CancelHandle();
        Query query = Query.builder().cancel(handle).build();
        List<BedsideException> errors = new ArrayList<>();
        Stages.during(
                Stages.onAnotherThreadAfter("preprocess", handle::cancel),
                () -> errors.addAll(EightThreads.repeat(1, () ->
                        assertThrows(BedsideException.class, () -> classifier.classify(picture, query)))));
        assertEquals(
                Collections.nCopies(EightThreads.COUNT, ErrorKind.CANCELLED),
                errors.stream().map(BedsideException::getKind).toList());
    }

    @Test
    void cancel_handle_closed_during_a_call_does_not_end_it() throws Exception {
        CancelHandle handle = new CancelHandle();
        Query query = Query.builder().cancel(handle).build();
        List<String> ended = Stages.during(
                Stages.onAnotherThreadAfter("decode", handle::close), () -> classifier.classify(picture, query));
        assertEquals(Stages.ALL, ended, "a closed handle can't cancel");
    }

    private static void assertCancelled(Executable call) {
        assertEquals(ErrorKind.CANCELLED, assertThrows(BedsideException.class, call).getKind());
    }
}
