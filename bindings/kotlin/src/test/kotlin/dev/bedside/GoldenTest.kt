// Kotlin's results are Rust's, to the last bit.

package dev.bedside

import com.sun.jna.NativeLibrary
import java.io.File
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

class GoldenTest {
    @Test
    fun all_six_samples_are_looked_at() {
        assertEquals(listOf(6, 6, 6), listOf(Repository.samples, wanted, reports).map { it.size })
    }

    @Test
    fun the_library_under_test_is_the_one_that_was_named() {
        assertEquals(
            File(Repository.property("bedside.library.dir")).canonicalFile,
            NativeLibrary.getInstance("bedside").file.canonicalFile.parentFile,
        )
    }

    @Test
    fun the_samples_give_the_commands_findings_to_the_last_bit() =
        assertEquals(wanted.map { it.findings }, reports.map { it.findings })

    @Test
    fun a_reports_json_is_the_commands_but_for_the_times() = assertEquals(
        wanted.map { it - "image" - "timings_ms" },
        reports.map { json(it.json) - "timings_ms" },
    )

    @Test
    fun a_reports_fields_are_those_of_the_commands_json() {
        assertEquals(wanted.size, reports.size)
        for ((wanted, report) in wanted.zip(reports)) {
            val verdict = wanted["verdict"]!!.jsonObject
            assertEquals(verdict["kind"].text, report.verdict::class.simpleName!!.snakeCase)
            assertEquals(verdict["labels"]!!.jsonArray.map { it.text }, report.verdict.labels.map { it.id })
            assertEquals(verdict["names"]!!.jsonArray.map { it.text }, report.verdict.labels.map { it.name })
            assertEquals(wanted["summary"].text, report.summary)
            assertEquals(wanted["triage"].text, report.triage.name.lowercase())
            assertEquals(wanted["advice"].text, report.advice)
            assertEquals(wanted["notice"].text, report.notice)
            assertEquals(wanted["model"].identity, report.model)
            val runtime = wanted["runtime"]
            assertEquals(RuntimeIdentity(runtime.field("name"), runtime.field("version")), report.runtime)
            assertTrue(report.text.endsWith(report.notice))
        }
    }

    @Test
    fun a_reports_times_are_those_of_its_json() {
        for (report in reports) {
            val times = json(report.json)["timings_ms"]!!.jsonObject
            val found = with(report.timingsMs) {
                assertTrue(total >= decode + preprocess + engine + verdict, "$this")
                mapOf(
                    "decode" to decode,
                    "preprocess" to preprocess,
                    "engine" to engine,
                    "verdict" to verdict,
                    "total" to total,
                )
            }
            assertEquals(times.keys, found.keys)
            // JSON has whole microseconds.
            for ((stage, ms) in found) assertEquals(times[stage].text.toDouble(), ms, 0.00051, stage)
        }
    }

    @Test
    fun a_models_bytes_give_what_its_file_gives() {
        Classifier.fromBytes(File(Repository.model).readBytes()).use { classifier ->
            assertEquals(wanted.first().findings, classifier.look(Repository.samples.first()).findings)
            assertEquals(wanted.first()["model"].identity, classifier.identity())
        }
    }

    @Test
    fun the_tiny_graph_gives_onnx_runtimes_scores() {
        val scores = Tiny.open().use { it.scores(Tiny.picture()) }
        assertEquals(Tiny.expected.size, scores.size)
        for ((expected, score) in Tiny.expected.zip(scores)) assertEquals(expected, score, 1e-4f)
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
            val query = Query(language = "uk")
            val report = classifier.classify(image, query)
            val reason = (report.verdict as Verdict.Rejected).reasons.single()
            assertEquals(listOf(reason), classifier.scopeReasons(query))
            assertEquals(emptyList(), classifier.scopeReasons(Query(answers = mapOf("dermatoscope" to Answer.Yes))))
            assertEquals(ReasonKind.SCOPE_UNANSWERED, reason.kind)
            assertEquals("Чи знімок зроблено через дерматоскоп?", reason.question)
            assertEquals(Triage.UNASSESSED, report.triage)
            assertEquals(emptyList(), report.findings)
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

    private val JsonElement?.identity get() = ModelIdentity(field("name"), field("version"), field("graph_sha256"))

    private companion object {
        val query = Query(answers = mapOf("dermatoscope" to Answer.Yes))

        /** What the command says of each sample: a Rust program of the same sources. */
        val wanted: List<JsonObject> by lazy {
            val samples = Repository.samples.toTypedArray()
            val model = "--model=models/skin-lesion/model.onnx"
            val printed = Repository.command("classify", *samples, model, "--answer=dermatoscope=yes", "--json")
            printed.trim().lines().map(::json)
        }

        /** What the library says of each. */
        val reports: List<Report> by lazy {
            Classifier.open(Repository.model).use { classifier -> Repository.samples.map { classifier.look(it) } }
        }

        fun Classifier.look(sample: String) = classify(Image.open(Repository.file(sample).path), query)
    }
}
