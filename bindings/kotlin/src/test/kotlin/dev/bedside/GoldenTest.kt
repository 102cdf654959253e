// Kotlin's results are Rust's, to the last bit.

package dev.bedside

import com.sun.jna.NativeLibrary
import java.io.File
import kotlin.math.abs
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

class GoldenTest {
    private val query = Query(answers = mapOf("dermatoscope" to Answer.Yes))

    /** What the command says of each sample: a Rust program of the same sources. */
    private val wanted: List<JsonObject> by lazy {
        val samples = Repository.samples.toTypedArray()
        val model = "--model=models/skin-lesion/model.onnx"
        val printed = Repository.command("classify", *samples, model, "--answer=dermatoscope=yes", "--json")
        printed.trim().lines().map(::json)
    }

    @Test
    fun the_library_under_test_is_the_one_that_was_named() {
        assertEquals(
            File(Repository.property("bedside.library.dir")).canonicalFile,
            NativeLibrary.getInstance("bedside").file.canonicalFile.parentFile,
        )
    }

    @Test
    fun the_samples_give_the_commands_findings_to_the_last_bit() {
        Classifier.open(Repository.model).use { classifier ->
            for ((sample, wanted) in Repository.samples.zip(wanted)) {
                val report = classifier.classify(Image.open(Repository.file(sample).path), query)
                assertEquals(wanted.findings, report.findings, sample)
                assertEquals(wanted["triage"].text, report.triage.name.lowercase())
                assertEquals(wanted["notice"].text, report.notice)
                assertEquals(wanted["model"].field("graph_sha256"), report.model.graphSha256)
                assertEquals(wanted["runtime"].field("version"), report.runtime.version)
            }
        }
        assertEquals(6, wanted.size)
    }

    @Test
    fun a_models_bytes_give_what_its_file_gives() {
        val sample = Repository.samples.first()
        Classifier.fromBytes(File(Repository.model).readBytes()).use { classifier ->
            val report = classifier.classify(Image.open(Repository.file(sample).path), query)
            assertEquals(wanted.first().findings, report.findings)
        }
    }

    @Test
    fun a_reports_json_is_the_commands_but_for_the_times() {
        Classifier.open(Repository.model).use { classifier ->
            for ((sample, wanted) in Repository.samples.zip(wanted)) {
                val report = classifier.classify(Image.open(Repository.file(sample).path), query)
                assertEquals(wanted - "image" - "timings_ms", json(report.json) - "timings_ms")
            }
        }
    }

    @Test
    fun a_verdicts_labels_and_names_are_those_of_its_json() {
        Classifier.open(Repository.model).use { classifier ->
            for (sample in Repository.samples) {
                val report = classifier.classify(Image.open(Repository.file(sample).path), query)
                val verdict = json(report.json)["verdict"]!!.jsonObject
                val labels = report.verdict.labels
                assertEquals(verdict["labels"]!!.jsonArray.map { it.text }, labels.map { it.id })
                assertEquals(verdict["names"]!!.jsonArray.map { it.text }, labels.map { it.name })
            }
        }
    }

    @Test
    fun the_tiny_graph_gives_onnx_runtimes_scores() {
        Tiny.open().use { classifier ->
            for ((score, expected) in classifier.scores(Tiny.picture()).zip(Tiny.expected)) {
                assertTrue(abs(score - expected) < 1e-4f, "$score, not $expected")
            }
        }
    }

    @Test
    fun more_threads_give_the_same_scores() {
        val one = Tiny.open().use { it.scores(Tiny.picture()) }
        val four = Tiny.open(options = Options(threads = 4u)).use { it.scores(Tiny.picture()) }
        assertEquals(one.map { it.toRawBits() }, four.map { it.toRawBits() })
    }

    @Test
    fun an_open_scope_question_rejects_and_says_what_to_do_in_the_querys_language() {
        Classifier.open(Repository.model).use { classifier ->
            val image = Image.open(Repository.file(Repository.samples.first()).path)
            val report = classifier.classify(image, Query(language = "uk"))
            val reason = (report.verdict as Verdict.Rejected).reasons.single()
            assertEquals(ReasonKind.SCOPE_UNANSWERED, reason.kind)
            assertEquals("Чи знімок зроблено через дерматоскоп?", reason.question)
            assertEquals(Triage.REPEAT, report.triage)
            assertEquals(emptyList(), report.findings)
        }
    }

    @Test
    fun every_field_of_a_query_reaches_the_core() {
        val age = json("""{"id": "age", "min": 18}""")
        Tiny.open(Tiny.manifest("scope", JsonArray(listOf(age)))).use { classifier ->
            fun labels(query: Query) = classifier.classify(Tiny.picture(), query).findings.map { it.label }
            assertEquals(listOf("a", "b", "c"), labels(Query()))
            assertEquals(listOf("a"), labels(Query(maxResults = 1u)))
            assertEquals(listOf("a", "b"), labels(Query(scoreThreshold = 0.09f)))
            assertEquals(listOf("b", "c"), labels(Query(allow = listOf("c", "b"))))
            assertEquals(listOf("b", "c"), labels(Query(deny = listOf("a"))))
            assertEquals(emptyList(), labels(Query(answers = mapOf("age" to Answer.Number(17.0)))))
            val whole = classifier.classify(Tiny.picture())
            val part = classifier.classify(Tiny.picture(), Query(region = Region(0.25f, 0.5f, 0.5f, 0.5f)))
            assertTrue(whole.bits != part.bits)
            val named = classifier.classify(Tiny.picture(), Query(language = "uk-UA"))
            assertEquals("Мітка А", named.findings.first().name)
        }
    }

    @Test
    fun a_manifest_speaks_the_language_asked_for() {
        Classifier.open(Repository.model).use { classifier ->
            val labels = listOf("Меланома", "Невус (родимка)", "Себорейний кератоз")
            assertEquals(labels, classifier.manifest("uk").labels.map { it.name })
            assertEquals("Melanoma", classifier.manifest().labels.first().name)
            assertEquals("skin-lesion", json(classifier.manifest().json)["name"].text)
        }
    }

    private val Verdict.labels: List<LabelName>
        get() = when (this) {
            is Verdict.Single -> listOf(label)
            is Verdict.Several -> labels
            is Verdict.NoFinding, is Verdict.Rejected -> emptyList()
        }

    /** A shortest decimal that round-trips is the float itself, once parsed. */
    private val JsonObject.findings: List<Finding>
        get() = getValue("findings").jsonArray.map { it.jsonObject }.map {
            Finding(
                label = it["label"].text,
                name = it["name"].text,
                probability = it["probability"].text.toFloat(),
                operatingPoint = it["operating_point"].text.toFloat(),
                overOperatingPoint = it["over_operating_point"]!!.jsonPrimitive.boolean,
            )
        }

    private val JsonElement?.text get() = this!!.jsonPrimitive.content

    private fun JsonElement?.field(name: String) = this!!.jsonObject[name].text
}
