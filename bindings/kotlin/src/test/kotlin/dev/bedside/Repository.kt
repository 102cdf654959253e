// The files that tests read, and the command that they compare with. The build sets where both are.

package dev.bedside

import java.io.File
import java.nio.file.Files
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonObject

internal object Repository {
    val root = File(property("bedside.root")).canonicalFile

    /** The shipped model. */
    val model = file("models/skin-lesion/model.onnx").path

    /** The sample photos, relative to the root. */
    val samples = file("models/samples").list()!!.filter { it.startsWith("ISIC_") }.sorted().map { "models/samples/$it" }

    fun property(name: String) = checkNotNull(System.getProperty(name)) { "$name is not set: run the tests by mvn" }

    fun file(path: String) = root.resolve(path)

    fun golden(path: String) = file("tests/golden/$path")

    /** The output of the command `bedside`. */
    fun command(vararg arguments: String): String {
        val errors = Files.createTempFile("bedside", ".txt").toFile()
        val builder = ProcessBuilder(property("bedside.command"), *arguments).directory(root).redirectError(errors)
        val process = builder.start()
        val stdout = process.inputStream.readBytes().decodeToString()
        val status = process.waitFor()
        val stderr = errors.readText().also { errors.delete() }
        check(status == 0) { stderr }
        return stdout
    }
}

internal fun json(text: String): JsonObject = Json.parseToJsonElement(text).jsonObject
