// Every field of a query, of a verdict and of a manifest crosses the border unchanged.

package dev.bedside

import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

class QueryTest {
    private val classifier = TinyModel.open(manifestWithQuestions())
    private val picture = TinyModel.picture()

    /** A test of each field of a query, by the name that all languages share. */
    private val effects: Map<String, () -> Any?> = mapOf(
        "max_results" to {
            assertEquals(listOf("a"), labels(Query(maxResults = 1u)))
            assertEquals(emptyList(), labels(Query(maxResults = 0u)))
        },
        "score_threshold" to { assertEquals(listOf("a", "b"), labels(Query(scoreThreshold = 0.09f))) },
        "allow" to { assertEquals(listOf("b", "c"), labels(Query(allow = listOf("c", "b")))) },
        "deny" to { assertEquals(listOf("b", "c"), labels(Query(deny = listOf("a")))) },
        "language" to {
            val names = classify(Query(language = "uk-UA")).findings.map { it.name }
            assertEquals(listOf("Мітка А", "Label B", "Label C"), names)
        },
        "region" to { assertRegionCropsThePicture() },
        "prevalence" to { assertPrevalenceReweightsTheFindings() },
        "answers" to { assertAnswersDecideTheVerdict() },
        "cancel" to {
            val handle = CancelHandle()
            classify(Query(cancel = handle))
            handle.cancel()
            assertFailsWith<BedsideException.Cancelled> { classify(Query(cancel = handle)) }
        },
    )

    @TestFactory
    fun query_field_reaches_the_core() = effects.map { (field, effect) ->
        DynamicTest.dynamicTest(field) { effect() }
    }

    @Test
    fun query_fields_are_all_tested() {
        val fields = json(Repository.file("bindings/names.json").readText()).getValue("query").jsonArray
        assertEquals(fields.map { it.jsonPrimitive.content }.toSet(), effects.keys)
    }

    @Test
    fun default_query_gives_all_labels_in_english_with_onnx_runtimes_probabilities() {
        val findings = classifier.classify(picture).findings
        assertEquals(listOf("Label A", "Label B", "Label C"), findings.map { it.name })
        for ((expected, finding) in TinyModel.expected.zip(findings)) assertEquals(expected, finding.probability, 1e-4f)
    }

    private fun assertRegionCropsThePicture() {
        val photo = Pixels.ppm(Repository.golden("image/yuv/bt601-full.ppm"))
        val whole = photo.rearranged(32, 20) { x, y -> x to y }
        val part = photo.rearranged(20, 8) { x, y -> x + 8 to y + 10 }
        val region = Region(left = 0.25f, top = 0.5f, width = 0.625f, height = 0.4f)
        assertEquals(classify(part), classify(whole, Query(region = region)))
        assertNotEquals(classify(part), classify(whole))
    }

    private fun assertPrevalenceReweightsTheFindings() {
        val report = classify(Query(prevalence = mapOf("a" to 0.01f, "b" to 0.59f, "c" to 0.4f)))
        // Each probability is multiplied by its new share over its old one, then divided by their sum.
        val ratios = listOf(0.01 / 0.5, 0.59 / 0.25, 0.4 / 0.25)
        val (a, b, c) = TinyModel.expected.zip(ratios) { old, ratio -> old * ratio }
        val wanted = listOf("b" to b, "c" to c, "a" to a).map { (label, weight) -> label to weight / (a + b + c) }
        assertEquals(wanted.map { it.first }, report.findings.map { it.label })
        for ((expected, finding) in wanted.zip(report.findings)) {
            assertEquals(expected.second, finding.probability.toDouble(), 1e-4, finding.label)
        }
        assertEquals(Verdict.Single(LabelName("a", "Label A")), report.verdict)
    }

    private fun assertAnswersDecideTheVerdict() {
        val outside = Query(language = "uk", answers = mapOf("ready" to Answer.No, "age" to Answer.Number(90.5)))
        val (no, old) = (classify(outside).verdict as Verdict.Rejected).reasons.also { assertEquals(2, it.size) }
        assertEquals(Reason(ReasonKind.SCOPE_NO, "ready", "Готові?", no.message), no)
        assertContains(no.message, "Програма не для таких знімків")
        assertEquals(Reason(ReasonKind.SCOPE_OUT_OF_RANGE, "age", "age", old.message), old)
        assertContains(old.message, "(18.5–90)")
        val inside = Query(answers = mapOf("ready" to Answer.Yes, "age" to Answer.Number(18.5)))
        assertEquals(Verdict.Single(LabelName("a", "Label A")), classify(inside).verdict)
    }

    @Test
    fun sigmoid_model_gives_several_labels_or_none() {
        val several = sigmoid(operatingPoint = 0).use { it.classify(picture) }
        assertEquals(Verdict.Several(listOf("a", "b", "c").map { LabelName(it, "Label $it") }), several.verdict)
        assertEquals(Triage.REFER, several.triage, "several labels give at least this triage")
        assertTrue(several.findings.all { it.overOperatingPoint && it.operatingPoint == 0f })
        val none = sigmoid(operatingPoint = 1).use { it.classify(picture) }
        assertEquals<Verdict>(Verdict.NoFinding, none.verdict)
        assertEquals(Triage.NO_SIGN, none.triage)
        assertTrue(none.findings.none { it.overOperatingPoint } && none.findings.all { it.operatingPoint == 1f })
    }

    /** A model whose labels do not exclude each other, with this operating point for each. */
    private fun sigmoid(operatingPoint: Int): Classifier {
        val labels = listOf("a", "b", "c").joinToString {
            """{"id": "$it", "name": {"en": "Label $it"}, "operating_point": $operatingPoint, "triage": "no_sign"}"""
        }
        return TinyModel.open(TinyModel.manifest("output", json("""{"activation": "sigmoid", "labels": [$labels]}""")))
    }

    @Test
    fun manifest_fields_equal_what_was_written() {
        val written = json(
            """
            {"title": {"en": "A title", "uk": "Назва"}, "intended_use": {"en": "For tests", "uk": "Для тестів"},
             "not_for": {"en": "For nobody", "uk": "Ні для кого"}}
            """,
        )
        TinyModel.open(JsonObject(manifestWithQuestions() + written)).use { classifier ->
            val english = classifier.manifest()
            val wanted = Manifest(
                name = "tiny",
                version = "0.0.1",
                license = "CC0-1.0",
                title = "A title",
                intendedUse = "For tests",
                notFor = "For nobody",
                scope = listOf(
                    ScopeQuestion("ready", "Ready?", required = false, min = null, max = null),
                    ScopeQuestion("age", "age", required = false, min = 18.5, max = 90.0),
                ),
                labels = listOf(
                    Label("a", "Label A", operatingPoint = 0.3f, Triage.URGENT),
                    Label("b", "Label B", operatingPoint = 0.5f, Triage.NO_SIGN),
                    Label("c", "Label C", operatingPoint = 0.5f, Triage.REFER),
                ),
                json = english.json,
            )
            assertEquals(wanted, english)
            assertEquals(written.toMap(), json(english.json).filterKeys { it in written })
            val ukrainian = classifier.manifest("uk")
            assertEquals(
                listOf("Назва", "Для тестів", "Ні для кого", "Готові?", "Мітка А"),
                with(ukrainian) { listOf(title, intendedUse, notFor, scope.first().question, labels.first().name) },
            )
        }
    }

    @Test
    fun scope_question_fields_equal_what_was_written() {
        val scope = json("""{"scope": [{"id": "first", "required": true}, {"id": "most", "max": 7}]}""")
        TinyModel.open(JsonObject(TinyModel.manifest + scope)).use { classifier ->
            val wanted = listOf(
                ScopeQuestion("first", "first", required = true, min = null, max = null),
                ScopeQuestion("most", "most", required = false, min = null, max = 7.0),
            )
            assertEquals(wanted, classifier.manifest().scope)
        }
    }

    @Test
    fun manifest_has_the_language_asked_for() {
        Classifier.open(Repository.model).use { classifier ->
            val labels = listOf("Меланома", "Невус (родимка)", "Себорейний кератоз")
            assertEquals(labels, classifier.manifest("uk").labels.map { it.name })
            assertEquals("Melanoma", classifier.manifest().labels.first().name)
            assertEquals("skin-lesion", json(classifier.manifest().json).getValue("name").jsonPrimitive.content)
        }
    }

    @Test
    fun classifier_load_times_grow_from_read_to_optimize() {
        val model = TinyModel.file().path
        val times = List(10) { Classifier.open(model).use { it.loadTimesMs() } }
        // The minimum of ten runs, which a busy machine hardly changes.
        val shortest = listOf(times.minOf { it.read }, times.minOf { it.`import` }, times.minOf { it.optimize })
        assertTrue(shortest.first() > 0, "$shortest")
        assertEquals(shortest.sorted(), shortest)
    }

    /** A manifest with two optional scope questions and a calibration with a prevalence. */
    private fun manifestWithQuestions(): JsonObject {
        val hash = TinyModel.open().use { it.identity().graphSha256 }
        val more = json(
            """
            {"scope": [{"id": "ready", "question": {"en": "Ready?", "uk": "Готові?"}},
                       {"id": "age", "min": 18.5, "max": 90}],
             "calibration": {"graph_sha256": "$hash", "prevalence": [0.5, 0.25, 0.25]}}
            """,
        )
        return JsonObject(TinyModel.manifest + more)
    }

    private fun classify(query: Query) = classifier.classify(picture, query)

    private fun labels(query: Query) = classify(query).findings.map { it.label }

    private fun classify(pixels: Pixels, query: Query = Query()): List<Finding> {
        val layout = FrameLayout.Rgb8(pixels.width.toUInt(), pixels.height.toUInt(), (pixels.width * 3).toUInt())
        return classifier.classifyFrame(directBuffer(pixels.bytes), FrameFormat(layout), query).findings
    }
}
