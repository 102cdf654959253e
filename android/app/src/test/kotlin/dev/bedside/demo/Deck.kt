package dev.bedside.demo

import java.io.File

/** The root of the repository, which has the models, the samples and the copy deck. */
val root = File(System.getProperty("bedside.root") ?: "../..").canonicalFile

fun sample(name: String): File =
    listOf("models/samples", "tests/pictures").map { File(root, "$it/$name") }.first(File::exists)

/** The names of a model's samples. */
fun samples(model: String): List<String> =
    sample("labels.csv").readLines().map { it.split(',') }.filter { it.last() == model }.map { it.first() }

/** The copy deck in one language, read from its file and not from the app's resources. */
class Deck(private val language: String) {
    val isUkrainian = language == "uk"
    private val texts = sections(File(root, "docs/copy/deck.toml").readText())

    /** The text of this name, such as `home.title`, with its placeholders filled in the order of the English text. */
    operator fun get(name: String, vararg values: String): String {
        val placeholders = Regex("\\{\\w+}").findAll(text(name, "en")).map { it.value }.distinct().toList()
        return placeholders.zip(values).fold(text(name, language)) { text, (placeholder, value) ->
            text.replace(placeholder, value)
        }
    }

    private fun text(name: String, language: String): String {
        val section = texts.getValue(name)
        val long = Regex("^$language = \"\"\"\n(.*?)\"\"\"", setOf(RegexOption.MULTILINE, RegexOption.DOT_MATCHES_ALL))
        val short = Regex("^$language = \"(.*)\"$", RegexOption.MULTILINE)
        return (long.find(section) ?: short.find(section))!!.groupValues[1]
    }

    private fun sections(toml: String): Map<String, String> =
        toml.split(Regex("^\\[", RegexOption.MULTILINE)).drop(1).associate { it.substringBefore(']') to it }
}
