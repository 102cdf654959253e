package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The quickstart in {@code docs/quickstart} runs unchanged in a new virtual machine. */
class QuickstartTest {
    @Test
    void quickstart_prints_the_commands_output_except_for_times() {
        String library = "-Dbedside.library.dir=" + Repository.property("bedside.library.dir");
        assertPrintsTheCommandsOutput(run(List.of(), library));
    }

    @Test
    void quickstart_has_at_most_fifteen_lines() throws Exception {
        assertTrue(Files.readAllLines(Repository.file("docs/quickstart/Quickstart.java")).size() <= 15);
    }

    /** Runs the quickstart with only the module's classes and these on its class path. */
    static ProcessResult run(List<Path> alsoOnClassPath, String... options) {
        List<Path> classPath = new ArrayList<>();
        classPath.add(ProcessResult.locationOf(Classifier.class));
        classPath.add(ProcessResult.locationOf(QuickstartTest.class));
        classPath.addAll(alsoOnClassPath);
        return ProcessResult.ofJava(classPath, "Quickstart", options);
    }

    static void assertPrintsTheCommandsOutput(ProcessResult quickstart) {
        assertEquals(0, quickstart.status(), quickstart.stderr());
        String photo = "models/samples/ISIC_0012258.jpg";
        String[] command = {
            "classify", photo, "--model", Repository.MODEL, "--answer", "dermatoscope=yes", "--answer", "mole_like=yes"
        };
        String wanted = Repository.command(command);
        assertEquals(withoutTimes(wanted), withoutTimes(quickstart.stdout()));
    }

    private static String withoutTimes(String printed) {
        String rest = printed.lines().filter(line -> !line.startsWith("  Time ")).collect(Collectors.joining("\n"));
        assertEquals(printed.lines().count() - 1, rest.lines().count(), "one line of times");
        return rest;
    }
}
