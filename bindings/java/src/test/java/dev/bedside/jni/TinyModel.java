package dev.bedside.jni;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A small model whose scores are known, as in {@code tests/tiny/mod.rs}. */
final class TinyModel {
    /** ONNX Runtime's probabilities of a, b and c for the golden picture ({@code tests/golden/graphs/cases.json}). */
    static final List<Float> EXPECTED = List.of(0.8573658f, 0.0913147f, 0.0513195f);

    /** The path of the golden picture. */
    static final String PICTURE = "tests/golden/graphs/picture.png";

    private TinyModel() {}

    /** The manifest of a graph that takes 32×32 pictures and gives three scores. */
    static JsonObject manifest() {
        return Repository.json("""
                {"bedside": "1.0", "kind": "scores", "name": "tiny", "version": "0.0.1", "license": "CC0-1.0",
                 "input": {"color": "rgb", "width": 32, "height": 32, "resize": {"policy": "stretch"},
                           "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
                 "output": {"activation": "softmax", "labels": [
                     {"id": "a", "name": {"en": "Label A", "uk": "Мітка А"},
                      "operating_point": 0.3, "triage": "urgent"},
                     {"id": "b", "name": {"en": "Label B"}, "triage": "no_sign"},
                     {"id": "c", "name": {"en": "Label C"}, "triage": "refer"}]}}
                """);
    }

    /** The same manifest with one more field. */
    static JsonObject manifest(String field, String value) {
        JsonObject manifest = manifest();
        JsonElement parsed = JsonParser.parseString(value);
        manifest.add(field, parsed);
        return manifest;
    }

    /** A graph of {@code tests/golden/graphs} in a new folder, with this manifest beside it unless it is null. */
    static String file(String graph, JsonObject manifest) {
        try {
            Path folder = Files.createTempDirectory("bedside");
            folder.toFile().deleteOnExit();
            if (manifest != null) {
                Path beside = Files.writeString(folder.resolve("model.json"), manifest.toString());
                beside.toFile().deleteOnExit();
            }
            Path model = Files.copy(Repository.file("tests/golden/graphs/" + graph), folder.resolve("model.onnx"));
            model.toFile().deleteOnExit();
            return model.toString();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    static String file() {
        return file("torchscript-17.onnx", manifest());
    }

    static Classifier open() throws BedsideException {
        return Classifier.open(file());
    }

    static Classifier open(Options options) throws BedsideException {
        return Classifier.open(file(), options);
    }

    static Classifier open(JsonObject manifest) throws BedsideException {
        return Classifier.open(file("torchscript-17.onnx", manifest));
    }

    static Image picture() throws BedsideException {
        return Image.fromBytes(Repository.bytes(PICTURE));
    }
}
