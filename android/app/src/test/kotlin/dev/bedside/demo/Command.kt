package dev.bedside.demo

import java.io.File
import org.json.JSONObject

/** The report of the Rust command for a picture, which the app must show. */
fun command(picture: File, model: String, language: String, vararg answers: String): JSONObject {
    val command = System.getProperty("bedside.command") ?: File(root, "target/release/bedside").path
    val line = listOf(command, "classify", picture.path, "--model", File(root, "models/$model/model.onnx").path) +
        listOf("--lang", language, "--json") + answers.flatMap { listOf("--answer", it) }
    val process = ProcessBuilder(line).redirectError(ProcessBuilder.Redirect.INHERIT).start()
    val json = process.inputStream.bufferedReader().readText()
    check(process.waitFor() == 0) { "the command failed" }
    return JSONObject(json)
}

fun JSONObject.labels(): List<String> = getJSONObject("verdict").getJSONArray("names").let { names ->
    List(names.length(), names::getString)
}

/** The findings in the words of the deck: the label, its frequency, and whether it can't be excluded. */
fun JSONObject.findings(deck: Deck): List<Pair<String, String>> = getJSONArray("findings").let { findings ->
    List(findings.length()) { index ->
        val finding = findings.getJSONObject(index)
        val frequency = frequency(finding.getDouble("probability"), deck)
        val over = finding.getBoolean("over_operating_point")
        finding.getString("name") to if (over) "$frequency · ${deck["findings.over"]}" else frequency
    }
}

private fun frequency(probability: Double, deck: Deck): String = when {
    probability < 0.01 -> deck["findings.few"]
    probability > 0.99 -> deck["findings.most"]
    else -> deck["findings.about", Math.round(probability * 100).toString()]
}
