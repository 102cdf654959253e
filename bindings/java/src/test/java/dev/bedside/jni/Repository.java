package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/** The files that tests read, and the command that they compare with. The build sets where both are. */
final class Repository {
    static final Path ROOT = Path.of(property("bedside.root")).toAbsolutePath().normalize();

    /** The shipped model, relative to the root. */
    static final String MODEL = "models/skin-lesion/model.onnx";

    private Repository() {}

    static String property(String name) {
        String value = System.getProperty(name);
        if (value == null) {
            throw new IllegalStateException(name + " is not set: run the tests by mvn");
        }
        return value;
    }

    static Path file(String path) {
        return ROOT.resolve(path);
    }

    static byte[] bytes(String path) {
        return bytes(file(path));
    }

    static byte[] bytes(Path path) {
        try {
            return Files.readAllBytes(path);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    /** The samples of the skin-lesion model, relative to the root. */
    static List<String> samples() {
        try (Stream<Path> files = Files.list(file("models/samples"))) {
            Stream<Path> skin = files.filter(file -> file.getFileName().toString().startsWith("ISIC_"));
            return skin.map(file -> ROOT.relativize(file).toString()).sorted().toList();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static Classifier openModel() throws BedsideException {
        return Classifier.open(file(MODEL).toString());
    }

    static Image openImage(String path) throws BedsideException {
        return Image.open(file(path).toString());
    }

    /** The output of the command {@code bedside}. */
    static String command(String... arguments) {
        List<String> command = Stream.concat(Stream.of(property("bedside.command")), Stream.of(arguments)).toList();
        ProcessResult result = ProcessResult.of(command);
        assertEquals(0, result.status(), result.stderr());
        return result.stdout();
    }

    static JsonObject json(String text) {
        return JsonParser.parseString(text).getAsJsonObject();
    }
}
