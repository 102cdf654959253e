package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The library is found without a word from the app: each time in a virtual machine of its own. */
class NativeLibraryTest {
    private static final Path LIBRARY = Path.of(Repository.property("bedside.library.dir"), "libbedside.so");

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void it_is_found_on_the_class_path_and_its_copy_is_deleted(@TempDir Path jar, @TempDir Path copies)
            throws Exception {
        Path library = Files.createDirectory(jar.resolve("linux-x86-64")).resolve("libbedside.so");
        Files.createSymbolicLink(library, LIBRARY);
        Ended ended = QuickstartTest.run(List.of(jar), "-Djava.io.tmpdir=" + copies);
        QuickstartTest.assertPrintsWhatTheCommandPrints(ended);
        Files.delete(library);
        try (var left = Files.list(copies)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void it_is_found_where_the_system_looks() {
        String folder = "-Djava.library.path=" + LIBRARY.getParent();
        QuickstartTest.assertPrintsWhatTheCommandPrints(QuickstartTest.run(List.of(), folder));
    }

    @Test
    void where_there_is_none_the_error_says_what_to_add() {
        Ended ended = QuickstartTest.run(List.of());
        assertEquals(1, ended.status());
        assertTrue(ended.complaint().contains("add dev.bedside:bedside-native"), ended.complaint());
    }
}
