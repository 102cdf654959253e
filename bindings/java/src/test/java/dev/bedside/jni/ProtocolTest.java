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

/** A jar and a library that do not belong together are an error that says so, at the first call. */
class ProtocolTest {
    private static final String NAME = System.mapLibraryName("bedside");

    @Test
    void the_error_names_both_numbers_and_what_to_do() {
        assertDoesNotThrow(() -> NativeLibrary.require(7, 7));
        Throwable other = assertThrows(UnsatisfiedLinkError.class, () -> NativeLibrary.require(0x1234abcd, 7));
        for (String words : List.of("1234abcd", "00000007", "use the jar and the library of one release")) {
            assertTrue(other.getMessage().contains(words), other.getMessage());
        }
        Throwable older = assertThrows(UnsatisfiedLinkError.class, () -> NativeLibrary.require(7, null));
        assertTrue(older.getMessage().contains("the library none, as it is older"), older.getMessage());
    }

    /** Any library stands for one that has no such method: this one comes with the virtual machine. */
    @Test
    void a_library_that_does_not_tell_its_protocol_is_refused(@TempDir Path folder) throws Exception {
        Path other = Path.of(System.getProperty("java.home"), "lib", System.mapLibraryName("prefs"));
        Files.copy(other, folder.resolve(NAME));
        assertRefused(QuickstartTest.run(List.of(), "-Dbedside.library.dir=" + folder), "the library none");
    }

    /** The jar of another release: this one's class with another number in it. */
    @Test
    void a_jar_of_another_protocol_refuses_the_library(@TempDir Path classes) throws Exception {
        String name = Native.class.getName().replace('.', '/') + ".class";
        byte[] code = Repository.bytes(Ended.home(Native.class).resolve(name));
        Path changed = Files.createDirectories(classes.resolve(name).getParent()).resolve("Native.class");
        Files.write(changed, withNumber(code, 0x0badf00d));
        String library = "-Dbedside.library.dir=" + Repository.property("bedside.library.dir");
        List<Path> classPath = List.of(classes, Ended.home(Native.class), Ended.home(ProtocolTest.class));
        Ended ended = Ended.ofJava(classPath, "Quickstart", library);
        assertRefused(ended, "the jar has protocol 0badf00d, the library " + String.format("%08x", Native.PROTOCOL));
    }

    private static void assertRefused(Ended ended, String words) {
        assertEquals(1, ended.status(), ended.complaint());
        assertEquals("", ended.printed());
        for (String part : List.of("UnsatisfiedLinkError", words, "use the jar and the library of one release")) {
            assertTrue(ended.complaint().contains(part), ended.complaint());
        }
    }

    /** The class with another protocol number, which stands in it once: among its constants. */
    private static byte[] withNumber(byte[] code, int number) {
        ByteBuffer changed = ByteBuffer.wrap(code.clone());
        int found = 0;
        for (int at = 0; at + Integer.BYTES <= code.length; at++) {
            if (changed.getInt(at) == Native.PROTOCOL) {
                changed.putInt(at, number);
                found++;
            }
        }
        assertEquals(1, found);
        return changed.array();
    }
}
