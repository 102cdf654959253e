package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Memory stays flat: what the library keeps goes when it is closed, or collected. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux says how much memory is resident")
class MemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int ROUNDS = 3;
    private static final long BOUND_KIB = 4 * 1024;

    /** 64 KiB for few pixels: little to compute, and much to leave behind. */
    private static final FrameFormat FORMAT = FrameFormat.gray8(32, 32, 2048);
    private static final ByteBuffer FRAME = ByteBuffer.allocateDirect(64 * 1024);

    @Test
    void ten_thousand_images_reports_and_handles_and_many_classifiers_leave_nothing_behind() throws Exception {
        assertFlat(Tiny.file(), Query.builder());
    }

    @Test
    @EnabledIfSystemProperty(
            named = "bedside.soak", matches = "true", disabledReason = "takes long: cargo xtask soak runs it")
    void the_shipped_model_leaves_nothing_behind() throws Exception {
        assertFlat(Repository.file(Repository.MODEL).toString(), Query.builder().answer("dermatoscope", Answer.YES));
    }

    private static void assertFlat(String model, Query.Builder query) throws Exception {
        assertFlat(() -> {
            for (int i = 0; i < 20; i++) {
                try (Classifier classifier = Classifier.open(model)) {
                    lookAndClose(classifier, query);
                }
            }
            try (Classifier classifier = Classifier.open(model)) {
                for (int i = 0; i < 1000; i++) {
                    lookAndClose(classifier, query);
                }
            }
        });
    }

    /** One image, one report and one handle. */
    private static void lookAndClose(Classifier classifier, Query.Builder query) throws BedsideException {
        try (CancelHandle handle = new CancelHandle(); Image image = Image.fromFrame(FRAME, FORMAT)) {
            classifier.classify(image, query.cancel(handle).build());
        }
    }

    /** 9.6 MB each time, at two allocations of 32 bytes each, if handles stayed behind; more with their numbers. */
    @Test
    void half_a_million_handles_leave_nothing_behind() throws Exception {
        assertFlat(() -> {
            for (int i = 0; i < 50_000; i++) {
                new CancelHandle().close();
            }
        });
    }

    @Test
    void what_is_not_closed_goes_with_the_garbage() throws Exception {
        String model = Tiny.file();
        assertFlat(() -> {
            for (int i = 0; i < 1000; i++) {
                Image.fromFrame(FRAME, FORMAT);
                new CancelHandle();
            }
            for (int i = 0; i < 20; i++) {
                Classifier.open(model);
            }
            // The library's memory does not press on the collector, so it is asked.
            collect();
        });
    }

    @Test
    void calls_that_fail_leave_nothing_behind() throws Exception {
        byte[] junk = new byte[64 * 1024];
        try (Classifier classifier = Tiny.open()) {
            assertFlat(() -> {
                for (int i = 0; i < 1000; i++) {
                    try (Image image = Image.fromBytes(junk)) {
                        classifier.classify(image);
                        throw new AssertionError("a report of junk");
                    } catch (BedsideException expected) {
                        assertTrue(expected.getKind() == ErrorKind.UNSUPPORTED_IMAGE, expected.getMessage());
                    }
                }
            });
        }
    }

    /**
     * Runs a round until memory has settled, then three times three more, and asserts that the time between the least
     * and the most growth added less than the bound: a leak adds each time, what the virtual machine takes or gives
     * back for itself does not. Where it did meanwhile, four times more decide. If images stayed behind it would be
     * 64 KiB each, 190 MiB each time.
     */
    private static void assertFlat(Stages.Block round) throws Exception {
        repeat(5, round);
        long before = settled();
        List<Long> growth = new ArrayList<>();
        int stretches = 3;
        while (growth.size() < stretches) {
            repeat(ROUNDS, round);
            long after = settled();
            growth.add(after - before);
            before = after;
            if (growth.size() == 3 && middle(growth) >= BOUND_KIB) {
                stretches = 7;
            }
        }
        String message = "resident memory: " + before + " KiB; each " + ROUNDS + " rounds added " + growth + " KiB";
        System.out.println(message);
        assertTrue(middle(growth) < BOUND_KIB, message);
    }

    private static long middle(List<Long> values) {
        List<Long> ordered = new ArrayList<>(values);
        Collections.sort(ordered);
        return ordered.get(ordered.size() / 2);
    }

    private static void repeat(int times, Stages.Block round) throws Exception {
        for (int i = 0; i < times; i++) {
            round.run();
        }
    }

    /** Resident memory in KiB, once what is unreachable has been collected, and what is free given back. */
    private static long settled() throws Exception {
        collect();
        // Tens of MiB that the C library keeps free between classifiers are no leak.
        ObjectName diagnostics = new ObjectName("com.sun.management:type=DiagnosticCommand");
        ManagementFactory.getPlatformMBeanServer()
                .invoke(diagnostics, "systemTrimNativeHeap", new Object[0], new String[0]);
        try (Stream<String> lines = Files.lines(STATUS)) {
            String resident = lines.filter(line -> line.startsWith("VmRSS:")).findFirst().orElseThrow();
            return Long.parseLong(resident.replaceAll("\\D", ""));
        }
    }

    /** Collects what is unreachable, and gives the thread that closes it the time. */
    private static void collect() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(200);
        }
    }
}
