package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A jar and a library of two releases are an error at the first call, and its message says so. */
class ProtocolTest {
    private static final String NAME = System.mapLibraryName("bedside");

    @Test
    void protocol_mismatch_names_both_numbers_and_the_remedy() {
        assertDoesNotThrow(() -> NativeLibrary.require(7, 7));
        Throwable other = assertThrows(UnsatisfiedLinkError.class, () -> NativeLibrary.require(0x1234abcd, 7));
        for (String words : List.of("1234abcd", "00000007", "use the jar and the library of one release")) {
            assertTrue(other.getMessage().contains(words), other.getMessage());
        }
        Throwable older = assertThrows(UnsatisfiedLinkError.class, () -> NativeLibrary.require(7, null));
        assertTrue(older.getMessage().contains("the library none, as it is older"), older.getMessage());
    }

    /** The library that lacks the method is one of the virtual machine's own. */
    @Test
    void protocol_refuses_a_library_without_a_number(@TempDir Path folder) throws Exception {
        Path other = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("prefs"));
        Files.copy(other, folder.resolve(NAME));
        assertRefused(QuickstartTest.run(List.of(), "-Dbedside.library.dir=" + folder), "the library none");
    }

    /** The jar of another release is this jar with another number in one class. */
    @Test
    void protocol_refuses_a_library_of_another_number(@TempDir Path classes) throws Exception {
        String name = Native.class.getName().replace('.', '/') + ".class";
        byte[] code = Repository.bytes(ProcessResult.locationOf(Native.class).resolve(name));
        Path changed = Files.createDirectories(classes.resolve(name).getParent()).resolve("Native.class");
        Files.write(changed, withNumber(code, 0x0badf00d));
        String library = "-Dbedside.library.dir=" + Repository.property("bedside.library.dir");
        List<Path> classPath = List.of(
                classes, ProcessResult.locationOf(Native.class), ProcessResult.locationOf(ProtocolTest.class));
        ProcessResult result = ProcessResult.ofJava(classPath, "Quickstart", library);
        assertRefused(result, "the jar has protocol 0badf00d, the library " + String.format("%08x", Native.PROTOCOL));
    }

    private static void assertRefused(ProcessResult result, String words) {
        assertEquals(1, result.status(), result.stderr());
        assertEquals("", result.stdout());
        for (String part : List.of("UnsatisfiedLinkError", words, "use the jar and the library of one release")) {
            assertTrue(result.stderr().contains(part), result.stderr());
        }
    }

    /** The class with another protocol number. The number occurs in the class once, among its constants. */
    private static byte[] withNumber(byte[] code, int number) {
        ByteBuffer changed = ByteBuffer.wrap(code.clone());
        int found = 0;
        for (int offset = 0; offset + Integer.BYTES <= code.length; offset++) {
            if (changed.getInt(offset) == Native.PROTOCOL) {
                changed.putInt(offset, number);
                found++;
            }
        }
        assertEquals(1, found);
        return changed.array();
    }
}
