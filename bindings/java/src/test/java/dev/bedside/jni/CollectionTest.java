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

/** What was not closed is closed once it is collected, and not before its last call has returned. */
class CollectionTest {
    private final Thread collector = new Thread(() -> {
        while (!Thread.interrupted()) {
            System.gc();
        }
    });

    @BeforeEach
    void collect_all_the_time() {
        collector.start();
    }

    @AfterEach
    void stop() throws InterruptedException {
        collector.interrupt();
        collector.join();
    }

    @Test
    void what_is_collected_is_let_go() throws Exception {
        assertLetGo(Tiny.open().number(), Native::identity);
        assertLetGo(Tiny.picture().number(), Native::mirrored);
        assertLetGo(new CancelHandle().number(), Native::isCancelled);
    }

    /** The library soon holds nothing by a number whose object nobody holds. */
    private static void assertLetGo(long number, LongFunction<byte[]> ask) throws Exception {
        long patience = System.nanoTime() + 30_000_000_000L;
        while (System.nanoTime() < patience) {
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
    void what_a_call_is_about_is_not_collected_before_it_has_returned() {
        Path gson = Ended.home(JsonObject.class);
        List<Path> classPath = List.of(Ended.home(Classifier.class), Ended.home(Tiny.class), gson);
        Ended ended = Ended.ofJava(classPath, HeldDuringCalls.class.getName(),
                "-Xcomp", "-XX:-TieredCompilation", "-XX:CompileCommand=quiet",
                "-XX:CompileCommand=compileonly,dev.bedside.jni.*::*",
                "-Dbedside.root=" + Repository.ROOT,
                "-Dbedside.library.dir=" + Repository.property("bedside.library.dir"));
        assertEquals("", ended.complaint());
        assertEquals("""
                classifier held, image held, cancel handle held
                classifier held, cancel handle held
                classifier held, cancel handle held
                """, ended.printed());
    }

    @Test
    void a_picture_that_nobody_else_holds_outlives_the_call() throws BedsideException {
        try (Classifier classifier = Tiny.open()) {
            List<Found> wanted = Found.in(classifier.classify(Tiny.picture()));
            for (int i = 0; i < 100; i++) {
                assertEquals(wanted, Found.in(classifier.classify(Tiny.picture().rotated(Rotation.UPRIGHT))));
            }
        }
    }

    @Test
    void a_classifier_that_nobody_else_holds_outlives_the_call() throws BedsideException {
        for (int i = 0; i < 20; i++) {
            assertEquals(3, Tiny.open().classify(Tiny.picture()).getFindings().size());
            assertEquals("tiny", Tiny.open().identity().getName());
        }
    }

    @Test
    void a_handle_that_only_a_query_holds_outlives_the_call() throws BedsideException {
        try (Classifier classifier = Tiny.open(); Image picture = Tiny.picture()) {
            for (int i = 0; i < 1000; i++) {
                classifier.check(Query.builder().cancel(new CancelHandle()).build());
            }
            for (int i = 0; i < 100; i++) {
                classifier.classify(picture, Query.builder().cancel(new CancelHandle()).build());
            }
        }
    }

    @Test
    void a_frame_that_nobody_else_holds_outlives_the_call() throws BedsideException {
        // Few pixels, far apart: little to compute, and all of the memory in use.
        FrameFormat format = FrameFormat.gray8(32, 32, 32768);
        try (Classifier classifier = Tiny.open()) {
            List<Found> wanted = Found.in(classifier.classifyFrame(blank(), format));
            for (int i = 0; i < 200; i++) {
                assertEquals(wanted, Found.in(classifier.classifyFrame(blank(), format)));
            }
        }
    }

    /** A frame whose memory the system takes back as soon as the buffer is collected. */
    private static ByteBuffer blank() {
        return ByteBuffer.allocateDirect(1 << 20);
    }

    @Test
    void an_object_closed_by_hand_is_not_closed_again_when_collected() throws Exception {
        List<Long> closed = new CopyOnWriteArrayList<>();
        for (long number = 0; number < 200; number++) {
            new Noted(number, closed).close();
        }
        new Noted(200, closed);
        long patience = System.nanoTime() + 30_000_000_000L;
        while (!closed.contains(200L) && System.nanoTime() < patience) {
            Thread.sleep(10);
        }
        // The last one was collected, and with it whatever else was going to be.
        Thread.sleep(200);
        assertEquals(LongStream.rangeClosed(0, 200).boxed().toList(), closed);
    }
}
