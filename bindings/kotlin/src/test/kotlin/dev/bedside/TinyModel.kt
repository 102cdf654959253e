// A small model whose scores are known, as in tests/tiny/mod.rs.

package dev.bedside

import java.io.File
import java.nio.file.Files
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject

internal object TinyModel {
    /** The manifest of a graph that takes 32×32 pictures and gives three scores. */
    val manifest = json(
        """
        {"bedside": "1.0", "kind": "scores", "name": "tiny", "version": "0.0.1", "license": "CC0-1.0",
         "input": {"color": "rgb", "width": 32, "height": 32, "resize": {"policy": "stretch"},
                   "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
         "output": {"activation": "softmax", "labels": [
             {"id": "a", "name": {"en": "Label A", "uk": "Мітка А"}, "operating_point": 0.3, "triage": "urgent"},
             {"id": "b", "name": {"en": "Label B"}, "triage": "no_sign"},
             {"id": "c", "name": {"en": "Label C"}, "triage": "refer"}]}}
        """,
    )

    /** ONNX Runtime's probabilities of a, b and c for the golden picture (tests/golden/graphs/cases.json). */
    val expected = listOf(0.8573658f, 0.0913147f, 0.0513195f)

    val pictureFile = Repository.golden("graphs/picture.png")

    /** The same manifest with one more field. */
    fun manifest(field: String, value: JsonElement) = JsonObject(manifest + (field to value))

    /**
     * A graph of `golden/graphs` in a new folder, with this manifest beside it unless it is null. Deleted when the
     * tests end.
     */
    fun file(manifest: JsonObject? = this.manifest, graph: String = "torchscript-17.onnx"): File {
        val folder = Files.createTempDirectory("bedside").toFile()
        val files = listOf(folder, folder.resolve("model.json"), folder.resolve("model.onnx"))
        files.forEach(File::deleteOnExit) // the last file goes first, so the folder is empty when it is deleted
        if (manifest != null) files[1].writeText(manifest.toString())
        return Repository.golden("graphs/$graph").copyTo(files[2])
    }

    fun open(manifest: JsonObject = this.manifest, options: Options = Options()) =
        Classifier.open(file(manifest).path, options)

    fun picture() = Image.fromBytes(pictureFile.readBytes())
}

/** The labels and the bits of the probabilities of a report. */
internal val Report.bits: List<Pair<String, Int>>
    get() = findings.map { it.label to it.probability.toRawBits() }
