package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The quickstart in {@code docs/quickstart}, as it stands there, in a virtual machine of its own. */
class QuickstartTest {
    @Test
    void it_prints_what_the_command_prints_but_for_the_times() {
        String library = "-Dbedside.library.dir=" + Repository.property("bedside.library.dir");
        assertPrintsWhatTheCommandPrints(run(List.of(), library));
    }

    @Test
    void it_is_at_most_fifteen_lines() throws Exception {
        assertTrue(Files.readAllLines(Repository.file("docs/quickstart/Quickstart.java")).size() <= 15);
    }

    /** Runs it with the module's classes and what else is named, and nothing more. */
    static Ended run(List<Path> alsoOnClassPath, String... options) {
        List<Path> classPath = new ArrayList<>(List.of(Ended.home(Classifier.class), Ended.home(QuickstartTest.class)));
        classPath.addAll(alsoOnClassPath);
        return Ended.ofJava(classPath, "Quickstart", options);
    }

    static void assertPrintsWhatTheCommandPrints(Ended quickstart) {
        assertEquals(0, quickstart.status(), quickstart.complaint());
        String photo = "models/samples/ISIC_0012258.jpg";
        String[] command = {"classify", photo, "--model", Repository.MODEL, "--answer", "dermatoscope=yes"};
        String wanted = Repository.command(command);
        assertEquals(withoutTimes(wanted), withoutTimes(quickstart.printed()));
    }

    private static String withoutTimes(String printed) {
        String rest = printed.lines().filter(line -> !line.startsWith("  Time ")).collect(Collectors.joining("\n"));
        assertEquals(printed.lines().count() - 1, rest.lines().count(), "one line of times");
        return rest;
    }
}
