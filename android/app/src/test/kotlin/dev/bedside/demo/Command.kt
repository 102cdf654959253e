package dev.bedside.demo

import java.io.File
import org.json.JSONObject

/** What the Rust command says of a picture: the app must say the same. */
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

/** A finding as the deck words it: the label, how often, and whether it can't be excluded. */
fun JSONObject.findings(deck: Deck): List<Pair<String, String>> = getJSONArray("findings").let { findings ->
    List(findings.length()) { index ->
        val finding = findings.getJSONObject(index)
        val often = often(finding.getDouble("probability"), deck)
        val over = finding.getBoolean("over_operating_point")
        finding.getString("name") to if (over) "$often · ${deck["findings.over"]}" else often
    }
}

private fun often(probability: Double, deck: Deck): String = when {
    probability < 0.01 -> deck["findings.few"]
    probability > 0.99 -> deck["findings.most"]
    else -> deck["findings.about", Math.round(probability * 100).toString()]
}
