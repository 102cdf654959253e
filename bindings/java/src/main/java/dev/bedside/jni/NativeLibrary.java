package dev.bedside.jni;

import java.io.File;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Locale;

/**
 * Finds {@code libbedside}: in the folder that the system property {@code bedside.library.dir} names; else where the
 * system looks, which on Android is the app itself; else in a jar on the class path ({@code bedside-native}).
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
        } catch (UnsatisfiedLinkError notThere) {
            loadFromJar(notThere);
        }
    }

    /**
     * Refuses a library that has another protocol than this jar, as every call would be misread.
     *
     * @param library null where the library does not tell
     */
    static void require(int jar, Integer library) {
        if (library == null || library != jar) {
            throw new UnsatisfiedLinkError(String.format(
                    "bedside-jni and libbedside are of two releases: the jar has protocol %08x, the library %s; use the jar"
                            + " and the library of one release",
                    jar, library == null ? "none, as it is older" : String.format("%08x", library)));
        }
    }

    private static void loadFromJar(UnsatisfiedLinkError notThere) {
        String resource = platform() + "/" + System.mapLibraryName("bedside");
        // Through the loader and not the class, which would look into its own module only.
        try (InputStream library = NativeLibrary.class.getClassLoader().getResourceAsStream(resource)) {
            if (library == null) {
                throw withCause("libbedside is neither in java.library.path nor, as " + resource
                        + ", in a jar on the class path; add dev.bedside:bedside-native, or set bedside.library.dir",
                        notThere);
            }
            File copy = File.createTempFile("libbedside", ".library");
            try {
                write(library, copy);
                System.load(copy.getPath());
            } finally {
                // On Linux and macOS a loaded library needs its file no more; Windows keeps it until the JVM ends.
                if (!copy.delete()) {
                    copy.deleteOnExit();
                }
            }
        } catch (IOException error) {
            throw withCause("libbedside can't be copied out of its jar: " + error.getMessage(), error);
        }
    }

    /** By means that Android has from API 24 on: {@code java.nio.file} came later. */
    private static void write(InputStream library, File copy) throws IOException {
        try (OutputStream output = new FileOutputStream(copy)) {
            byte[] buffer = new byte[1 << 16];
            for (int count = library.read(buffer); count >= 0; count = library.read(buffer)) {
                output.write(buffer, 0, count);
            }
        }
    }

    /** The folder's name, as JNA has it, so that one jar serves both languages. */
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
