package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonObject;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.LongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** An object that was not closed is closed after it has been collected, and not before its last call has returned. */
class CollectionTest {
    private final Thread collector = new Thread(() -> {
        while (!Thread.interrupted()) {
            System.gc();
        }
    });

    @BeforeEach
    void start_collecting_repeatedly() {
        collector.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        collector.interrupt();
        collector.join();
    }

    @Test
    void collected_objects_are_closed() throws Exception {
        assertClosedSoon(TinyModel.open().number(), Native::identity);
        assertClosedSoon(TinyModel.picture().number(), Native::mirrored);
        assertClosedSoon(new CancelHandle().number(), Native::isCancelled);
    }

    /** Asserts that the library frees the object of this number, which has no other reference. */
    private static void assertClosedSoon(long number, LongFunction<byte[]> ask) throws Exception {
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < deadline) {
            try {
                Reply.of(ask.apply(number));
            } catch (IllegalStateException closed) {
                return;
            }
            Thread.sleep(10);
        }
        assertThrows(IllegalStateException.class, () -> Reply.of(ask.apply(number)));
    }

    @Test
    void objects_of_a_call_are_not_collected_before_it_returns() {
        Path gson = ProcessResult.locationOf(JsonObject.class);
        List<Path> classPath = List.of(
                ProcessResult.locationOf(Classifier.class), ProcessResult.locationOf(TinyModel.class), gson);
        ProcessResult result = ProcessResult.ofJava(classPath, HeldDuringCalls.class.getName(),
                "-Xcomp", "-XX:-TieredCompilation", "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=compileonly,dev.bedside.jni.*::*",
                "-Dbedside.root=" + Repository.ROOT,
                "-Dbedside.library.dir=" + Repository.property("bedside.library.dir"));
        assertEquals("", result.stderr());
        assertEquals("""
                classifier held, image held, cancel handle held
                classifier held, cancel handle held
                classifier held, cancel handle held
                """, result.stdout());
    }

    @Test
    void image_without_another_reference_outlives_the_call() throws BedsideException {
        try (Classifier classifier = TinyModel.open()) {
            List<FindingValue> wanted = FindingValue.of(classifier.classify(TinyModel.picture()));
            for (int i = 0; i < 100; i++) {
                assertEquals(
                        wanted, FindingValue.of(classifier.classify(TinyModel.picture().rotated(Rotation.UPRIGHT))));
            }
        }
    }

    @Test
    void classifier_without_another_reference_outlives_the_call() throws BedsideException {
        for (int i = 0; i < 20; i++) {
            assertEquals(3, TinyModel.open().classify(TinyModel.picture()).getFindings().size());
            assertEquals("tiny", TinyModel.open().identity().getName());
        }
    }

    @Test
    void cancel_handle_referenced_only_by_a_query_outlives_the_call() throws BedsideException {
        try (Classifier classifier = TinyModel.open(); Image picture = TinyModel.picture()) {
            for (int i = 0; i < 1000; i++) {
                classifier.check(Query.builder().cancel(new CancelHandle()).build());
            }
            for (int i = 0; i < 100; i++) {
                classifier.classify(picture, Query.builder().cancel(new CancelHandle()).build());
            }
        }
    }

    @Test
    void frame_without_another_reference_outlives_the_call() throws BedsideException {
        // Few pixels with a large stride take little time and use all of the memory.
        FrameFormat format = FrameFormat.gray8(32, 32, 32768);
        try (Classifier classifier = TinyModel.open()) {
            List<FindingValue> wanted = FindingValue.of(classifier.classifyFrame(blank(), format));
            for (int i = 0; i < 200; i++) {
                assertEquals(wanted, FindingValue.of(classifier.classifyFrame(blank(), format)));
            }
        }
    }

    /** A frame whose memory goes back to the system as soon as the buffer is collected. */
    private static ByteBuffer blank() {
        return ByteBuffer.allocateDirect(1 << 20);
    }

    @Test
    void closed_handle_is_not_closed_again_when_collected() throws Exception {
        List<Long> closed = new CopyOnWriteArrayList<>();
        for (long number = 0; number < 200; number++) {
            new RecordedHandle(number, closed).close();
        }
        new RecordedHandle(200, closed);
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (!closed.contains(200L) && System.nanoTime() < deadline) {
            Thread.sleep(10);
        }
        // The last one was collected, and with it all others that are collected at all.
        Thread.sleep(200);
        assertEquals(LongStream.rangeClosed(0, 200).boxed().toList(), closed);
    }
}
