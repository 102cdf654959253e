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

/** The library is found without a setting in the app. Each test starts a new virtual machine. */
class NativeLibraryTest {
    private static final Path LIBRARY = Path.of(Repository.property("bedside.library.dir"), "libbedside.so");

    @Test
    @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
    void library_is_found_on_the_class_path_and_its_copy_is_deleted(@TempDir Path jar, @TempDir Path copies)
            throws Exception {
        Path library = Files.createDirectory(jar.resolve("linux-x86-64")).resolve("libbedside.so");
        Files.createSymbolicLink(library, LIBRARY);
        ProcessResult result = QuickstartTest.run(List.of(jar), "-Djava.io.tmpdir=" + copies);
        QuickstartTest.assertPrintsTheCommandsOutput(result);
        Files.delete(library);
        try (var left = Files.list(copies)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void library_is_found_in_the_systems_folders() {
        String folder = "-Djava.library.path=" + LIBRARY.getParent();
        QuickstartTest.assertPrintsTheCommandsOutput(QuickstartTest.run(List.of(), folder));
    }

    @Test
    void missing_library_is_an_error_that_says_what_to_add() {
        ProcessResult result = QuickstartTest.run(List.of());
        assertEquals(1, result.status());
        assertTrue(result.stderr().contains("add dev.bedside:bedside-native"), result.stderr());
    }
}
