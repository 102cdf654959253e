// Kotlin's results equal Rust's, bit for bit.

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
    fun samples_are_six() {
        assertEquals(listOf(6, 6, 6), listOf(Repository.samples, wanted, reports).map { it.size })
    }

    @Test
    fun library_is_loaded_from_the_named_folder() {
        assertEquals(
            File(Repository.property("bedside.library.dir")).canonicalFile,
            NativeLibrary.getInstance("bedside").file.canonicalFile.parentFile,
        )
    }

    @Test
    fun report_findings_equal_the_commands_bit_for_bit() =
        assertEquals(wanted.map { it.findings }, reports.map { it.findings })

    @Test
    fun report_json_equals_the_commands_except_for_times() = assertEquals(
        wanted.map { it - "image" - "timings_ms" },
        reports.map { json(it.json) - "timings_ms" },
    )

    @Test
    fun report_fields_equal_the_commands_json() {
        assertEquals(wanted.size, reports.size)
        for ((wanted, report) in wanted.zip(reports)) {
            val verdict = wanted["verdict"]!!.jsonObject
            assertEquals(verdict["kind"].text, report.verdict::class.simpleName!!.snakeCase)
            assertEquals(verdict["labels"]!!.jsonArray.map { it.text }, report.verdict.labels.map { it.id })
            assertEquals(verdict["names"]!!.jsonArray.map { it.text }, report.verdict.labels.map { it.name })
            val levels = report.verdict.labels.map { it.level.name.lowercase() }
            assertEquals(verdict["levels"]!!.jsonArray.map { it.text }, levels)
            assertEquals(wanted["summary"].text, report.summary)
            assertEquals(wanted["triage"].text, report.triage.name.lowercase())
            assertEquals(wanted["decided_by"].text, report.decidedBy.name.lowercase())
            assertEquals(emptyList(), report.danger)
            assertEquals(wanted["advice"].text, report.advice)
            val quality = wanted["quality"]!!.jsonObject.mapValues { it.value.text.toFloat() }
            val measured = with(report.quality!!) {
                mapOf(
                    "focus" to focus,
                    "dark" to dark,
                    "bright" to bright,
                    "contrast" to contrast,
                    "color" to color,
                    "size" to size,
                )
            }
            assertEquals(quality, measured)
            assertEquals(wanted["notice"].text, report.notice)
            assertEquals(wanted["model"].identity, report.model)
            val runtime = wanted["runtime"]
            assertEquals(RuntimeIdentity(runtime.field("name"), runtime.field("version")), report.runtime)
            assertTrue(report.text.endsWith(report.notice))
        }
    }

    @Test
    fun report_times_equal_those_of_its_json() {
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
    fun classifier_from_bytes_gives_the_files_findings() {
        Classifier.fromBytes(File(Repository.model).readBytes()).use { classifier ->
            assertEquals(wanted.first().findings, classifier.classifySample(Repository.samples.first()).findings)
            assertEquals(wanted.first()["model"].identity, classifier.identity())
        }
    }

    @Test
    fun classifier_scores_equal_onnx_runtimes() {
        val scores = TinyModel.open().use { it.scores(TinyModel.picture()) }
        assertEquals(TinyModel.expected.size, scores.size)
        for ((expected, score) in TinyModel.expected.zip(scores)) assertEquals(expected, score, 1e-4f)
    }

    @Test
    fun classifier_scores_do_not_depend_on_threads() {
        val one = TinyModel.open().use { it.scores(TinyModel.picture()) }
        val four = TinyModel.open(options = Options(threads = 4u)).use { it.scores(TinyModel.picture()) }
        assertEquals(one.map { it.toRawBits() }, four.map { it.toRawBits() })
    }

    @Test
    fun unanswered_scope_question_rejects_in_the_querys_language() {
        Classifier.open(Repository.model).use { classifier ->
            val image = Image.open(Repository.file(Repository.samples.first()).path)
            val query = Query(language = "uk", answers = mapOf("mole_like" to Answer.Yes))
            val report = classifier.classify(image, query)
            val reason = (report.verdict as Verdict.Rejected).reasons.single()
            assertEquals(listOf(reason), classifier.scopeReasons(query))
            val answered = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
            assertEquals(emptyList(), classifier.scopeReasons(answered))
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
            is Verdict.Undecided, is Verdict.Rejected -> emptyList()
        }

    /** The findings of a report as JSON. The shortest decimal that round-trips parses to the float itself. */
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
        val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))

        /** The reports of the command, which is a Rust program built from the same sources. */
        val wanted: List<JsonObject> by lazy {
            val samples = Repository.samples.toTypedArray()
            val model = "--model=models/skin-lesion/model.onnx"
            val answers = arrayOf("--answer=dermatoscope=yes", "--answer=mole_like=yes")
            val printed = Repository.command("classify", *samples, model, *answers, "--json")
            printed.trim().lines().map(::json)
        }

        /** The reports of the library. */
        val reports: List<Report> by lazy {
            Classifier.open(Repository.model).use { classifier ->
                Repository.samples.map { classifier.classifySample(it) }
            }
        }

        fun Classifier.classifySample(sample: String) = classify(Image.open(Repository.file(sample).path), query)
    }
}
