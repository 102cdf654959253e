package dev.bedside.jni;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Locale;

/**
 * Finds and loads {@code libbedside}. It looks first in the folder that the system property {@code bedside.library.dir}
 * names, then where the system looks, which on Android is the app itself, then in a jar on the class path
 * ({@code bedside-native}).
 */
final class NativeLibrary {
    private NativeLibrary() {}

    static void load() {
        String folder = System.getProperty("bedside.library.dir");
        if (folder != null) {
            System.load(new File(folder, System.mapLibraryName("bedside")).getAbsolutePath());
            return;
        }
        try {
            System.loadLibrary("bedside");
        } catch (UnsatisfiedLinkError notFound) {
            loadFromJar(notFound);
        }
    }

    /**
     * Refuses a library that has another protocol than this jar, because such a library would misread every call.
     *
     * @param jar the protocol of the jar
     * @param library the protocol of the library, or null where the library has no such method
     */
    static void require(int jar, Integer library) {
        if (library == null || library != jar) {
            throw new UnsatisfiedLinkError(String.format(
                    "bedside-jni and libbedside are of two releases: the jar has protocol %08x, the library %s; use the"
                            + " jar and the library of one release",
                    jar, library == null ? "none, as it is older" : String.format("%08x", library)));
        }
    }

    private static void loadFromJar(UnsatisfiedLinkError notFound) {
        String resource = platform() + "/" + System.mapLibraryName("bedside");
        // `Class.getResourceAsStream` would look in the class's own module only.
        try (InputStream library = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
            if (library == null) {
                throw withCause("libbedside is neither in java.library.path nor, as " + resource
                        + ", in a jar on the class path; add dev.bedside:bedside-native, or set bedside.library.dir",
                        notFound);
            }
            File copy = File.createTempFile("libbedside", ".library");
            try {
                write(library, copy);
                System.load(copy.getPath());
            } finally {
                // Linux and macOS can delete the file of a loaded library; Windows can't before the JVM ends.
                if (!copy.delete()) {
                    copy.deleteOnExit();
                }
            }
        } catch (IOException error) {
            throw withCause("libbedside can't be copied out of its jar: " + error.getMessage(), error);
        }
    }

    /** Writes a file without {@code java.nio.file}, which Android 7 (API 24) does not have. */
    private static void write(InputStream library, File copy) throws IOException {
        try (OutputStream output = new FileOutputStream(copy)) {
            byte[] buffer = new byte[1 << 16];
            for (int count = library.read(buffer); count >= 0; count = library.read(buffer)) {
                output.write(buffer, 0, count);
            }
        }
    }

    /** The name of the folder in the jar. JNA uses the same names, so one jar serves both languages. */
    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String processor = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
        String name = system.startsWith("mac") ? "darwin" : system.startsWith("windows") ? "win32" : "linux";
        return name + "-" + (processor.equals("amd64") || processor.equals("x86_64") ? "x86-64" : processor);
    }

    private static UnsatisfiedLinkError withCause(String message, Throwable cause) {
        UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
        error.initCause(cause);
        return error;
    }
}
