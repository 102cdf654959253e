package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;

/** After all other tests ({@code junit-platform.properties}): what {@code -Xcheck:jni} had to say about their calls. */
@Order(Integer.MAX_VALUE)
class CheckedJniTest {
    @Test
    void the_virtual_machine_checked_every_call() {
        assertTrue(ManagementFactory.getRuntimeMXBean().getInputArguments().contains("-Xcheck:jni"));
    }

    @Test
    void it_found_no_fault_with_any() throws Exception {
        Path path = Path.of(Repository.property("bedside.jvm.log"));
        List<String> log = Files.readAllLines(path, StandardCharsets.ISO_8859_1);
        assertTrue(log.stream().anyMatch(line -> line.startsWith("<tty")), "nothing is written to the log");
        List<String> faults = log.stream().filter(line -> line.contains("WARNING") || line.contains("FATAL")).toList();
        assertEquals(List.of(), faults, "where: see " + path);
    }
}
