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

/** Memory stays flat: the library frees an object when it is closed or collected. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "only Linux tells how much memory is resident")
class MemoryTest {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int ROUNDS = 3;
    private static final long BOUND_KIB = 4 * 1024;

    /** 64 KiB for few pixels: a classification takes little time, and a leak is large. */
    private static final FrameFormat FORMAT = FrameFormat.gray8(32, 32, 2048);
    private static final ByteBuffer FRAME = ByteBuffer.allocateDirect(64 * 1024);

    @Test
    void memory_stays_flat_over_ten_thousand_classifications() throws Exception {
        assertFlat(TinyModel.file(), Query.builder());
    }

    @Test
    @EnabledIfSystemProperty(
            named = "bedside.soak", matches = "true", disabledReason = "takes long: cargo xtask soak runs it")
    void memory_stays_flat_with_the_shipped_model() throws Exception {
        Query.Builder query = Query.builder().answer("dermatoscope", Answer.YES).answer("mole_like", Answer.YES);
        assertFlat(Repository.file(Repository.MODEL).toString(), query);
    }

    private static void assertFlat(String model, Query.Builder query) throws Exception {
        assertFlat(() -> {
            for (int i = 0; i < 20; i++) {
                try (Classifier classifier = Classifier.open(model)) {
                    classifyAndClose(classifier, query);
                }
            }
            try (Classifier classifier = Classifier.open(model)) {
                for (int i = 0; i < 1000; i++) {
                    classifyAndClose(classifier, query);
                }
            }
        });
    }

    /** Classifies one image with one cancel handle and closes both. */
    private static void classifyAndClose(Classifier classifier, Query.Builder query) throws BedsideException {
        try (CancelHandle handle = new CancelHandle(); Image image = Image.fromFrame(FRAME, FORMAT)) {
            classifier.classify(image, query.cancel(handle).build());
        }
    }

    /** If handles leaked, 150,000 of them would add 9.6 MB, at two allocations of 32 bytes each. */
    @Test
    void memory_stays_flat_over_half_a_million_cancel_handles() throws Exception {
        assertFlat(() -> {
            for (int i = 0; i < 50_000; i++) {
                new CancelHandle().close();
            }
        });
    }

    @Test
    void memory_stays_flat_where_objects_are_collected_and_not_closed() throws Exception {
        String model = TinyModel.file();
        assertFlat(() -> {
            for (int i = 0; i < 1000; i++) {
                Image.fromFrame(FRAME, FORMAT);
                new CancelHandle();
            }
            for (int i = 0; i < 20; i++) {
                Classifier.open(model);
            }
            // The library's memory is not part of the heap, so the collector does not start by itself.
            collect();
        });
    }

    @Test
    void memory_stays_flat_where_calls_fail() throws Exception {
        byte[] noPicture = new byte[64 * 1024];
        try (Classifier classifier = TinyModel.open()) {
            assertFlat(() -> {
                for (int i = 0; i < 1000; i++) {
                    try (Image image = Image.fromBytes(noPicture)) {
                        classifier.classify(image);
                        throw new AssertionError("there is a report of bytes that are no picture");
                    } catch (BedsideException expected) {
                        assertTrue(expected.getKind() == ErrorKind.UNSUPPORTED_IMAGE, expected.getMessage());
                    }
                }
            });
        }
    }

    /**
     * Runs a round five times, so that memory settles. Then measures three times how much memory three rounds add, and
     * asserts that the median is below the bound: a leak adds memory each time, while the virtual machine takes memory
     * for itself, or gives it back, only now and then. Where the median is not below the bound, four more measurements
     * decide. If images leaked, three rounds would add 190 MiB.
     */
    private static void assertFlat(Stages.Block round) throws Exception {
        repeat(5, round);
        long before = residentKib();
        List<Long> growth = new ArrayList<>();
        int measurements = 3;
        while (growth.size() < measurements) {
            repeat(ROUNDS, round);
            long after = residentKib();
            growth.add(after - before);
            before = after;
            if (growth.size() == 3 && median(growth) >= BOUND_KIB) {
                measurements = 7;
            }
        }
        String message = "resident memory: " + before + " KiB; each " + ROUNDS + " rounds added " + growth + " KiB";
        System.out.println(message);
        assertTrue(median(growth) < BOUND_KIB, message);
    }

    private static long median(List<Long> values) {
        List<Long> ordered = new ArrayList<>(values);
        Collections.sort(ordered);
        return ordered.get(ordered.size() / 2);
    }

    private static void repeat(int times, Stages.Block round) throws Exception {
        for (int i = 0; i < times; i++) {
            round.run();
        }
    }

    /** Resident memory in KiB, after unreachable objects were collected and free memory was given back. */
    private static long residentKib() throws Exception {
        collect();
        // The C library keeps tens of MiB free between classifiers, which are no leak.
        ObjectName diagnostics = new ObjectName("com.sun.management:type=DiagnosticCommand");
        ManagementFactory.getPlatformMBeanServer()
                .invoke(diagnostics, "systemTrimNativeHeap", new Object[0], new String[0]);
        try (Stream<String> lines = Files.lines(STATUS)) {
            String resident = lines.filter(line -> line.startsWith("VmRSS:")).findFirst().orElseThrow();
            return Long.parseLong(resident.replaceAll("\\D", ""));
        }
    }

    /** Collects unreachable objects, and waits for the thread that closes them. */
    private static void collect() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            Thread.sleep(200);
        }
    }
}
