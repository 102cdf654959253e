package dev.bedside.demo

import java.io.File
import java.math.BigDecimal
import java.math.RoundingMode
import org.json.JSONArray
import org.json.JSONObject

/** The report of the Rust command for a picture, which the app must show. */
fun command(picture: File, model: String, language: String, options: List<String>): JSONObject {
    val command = System.getProperty("bedside.command") ?: File(root, "target/release/bedside").path
    val line = listOf(command, "classify", picture.path, "--model", File(root, "models/$model/model.onnx").path) +
        listOf("--lang", language, "--json") + options
    val process = ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val json = process.inputStream.bufferedReader().readText()
    check(process.waitFor() == 0) { "the command failed" }
    return JSONObject(json)
}

/** The same, for a picture of a file with these answers. */
fun command(picture: File, model: String, language: String, vararg answers: String): JSONObject =
    command(picture, model, language, listOf("--source", "file") + answers.flatMap { listOf("--answer", it) })

/** The manifest of a model. */
fun manifest(model: String) = JSONObject(File(root, "models/$model/manifest.json").readText())

/** A model's questions with this role, which is `scope` where the manifest states none. */
fun questions(model: String, role: String): List<JSONObject> =
    manifest(model).getJSONArray("scope").objects().filter { it.optString("role", "scope") == role }

fun JSONArray.objects(): List<JSONObject> = List(length(), ::getJSONObject)

/** The messages of the reasons for which there is no assessment. */
fun JSONObject.messages(): List<String> =
    getJSONObject("verdict").optJSONArray("reasons")?.objects()?.map { it.getString("message") }.orEmpty()

/** The findings in the words of the deck: the label, and its numbers. */
fun JSONObject.findings(deck: Deck): List<Pair<String, String>> = getJSONArray("findings").objects().map { finding ->
    val (probability, point) = listOf("probability", "operating_point").map { deck.percent(finding.getDouble(it)) }
    val numbers = deck["clinicians.finding", probability, point]
    val over = finding.getBoolean("over_operating_point")
    finding.getString("name") to if (over) "$numbers · ${deck["clinicians.over"]}" else numbers
}

/** A fraction in percent with one decimal. */
fun Deck.percent(fraction: Double): String = this["clinicians.percent", decimal(100 * fraction, 1)]

/** A number with this many decimals. */
fun Deck.decimal(value: Double, decimals: Int): String {
    val text = BigDecimal(value).setScale(decimals, RoundingMode.HALF_EVEN).toPlainString()
    return if (isUkrainian) text.replace('.', ',') else text
}
