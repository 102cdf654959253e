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
import kotlinx.serialization.json.jsonObject
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
        "source" to { assertPoorPictureIsAskedForAgain(Query(source = Source.CAMERA), Query(source = Source.FILE)) },
        "refusals" to {
            val (first, second) = Query(source = Source.CAMERA) to Query(source = Source.CAMERA, refusals = 1u)
            assertPoorPictureIsAskedForAgain(first, second)
        },
        "explain" to { assertHeatmapIsThatOfTheJsonAndCanBeDrawn() },
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
        assertEquals(Verdict.Single(LabelName("a", "Label A", Triage.URGENT)), report.verdict)
    }

    private fun assertAnswersDecideTheVerdict() {
        val outside = Query(language = "uk", answers = mapOf("ready" to Answer.No, "age" to Answer.Number(90.5)))
        val (no, old) = (classify(outside).verdict as Verdict.Rejected).reasons.also { assertEquals(2, it.size) }
        assertEquals(Reason(ReasonKind.SCOPE_NO, "ready", "Готові?", no.message), no)
        assertContains(no.message, "Програма не для таких знімків")
        assertEquals(Reason(ReasonKind.SCOPE_OUT_OF_RANGE, "age", "age", old.message), old)
        assertContains(old.message, "(18.5–90)")
        val inside = Query(answers = mapOf("ready" to Answer.Yes, "age" to Answer.Number(18.5)))
        assertEquals(Verdict.Single(LabelName("a", "Label A", Triage.URGENT)), classify(inside).verdict)
    }

    /** Asserts that a picture of poor quality is asked for again by one query, and not by the other. */
    private fun assertPoorPictureIsAskedForAgain(again: Query, not: Query) {
        val calibration =
            json("""{"graph_sha256": "${classifier.identity().graphSha256}", "quality": {"size": {"min": 1000}}}""")
        TinyModel.open(TinyModel.manifest("calibration", calibration)).use { model ->
            for ((query, words) in listOf(again to "Take it again", not to "examine without")) {
                val report = model.classify(picture, query)
                val reason = (report.verdict as Verdict.Rejected).reasons.single()
                assertEquals(ReasonKind.TOO_SMALL, reason.kind)
                assertContains(reason.message, words)
                val repeated = Triage.REFER to DecidedBy.REPEATED_QUALITY
                val wanted = if (query.refusals > 0u) repeated else Triage.UNASSESSED to DecidedBy.QUALITY
                assertEquals(wanted, report.triage to report.decidedBy)
                // The golden picture and the input of the model have 32 pixels a side.
                assertEquals(1f, report.quality!!.size)
            }
        }
    }

    private fun assertHeatmapIsThatOfTheJsonAndCanBeDrawn() {
        val report = classify(Query(explain = Explain(label = "b", method = ExplainMethod.OCCLUSION)))
        val written = json(report.json).getValue("heatmap").jsonObject
        val heatmap = report.heatmap!!
        val numbers = { name: String -> written.getValue(name).jsonArray }
        assertEquals("b" to ExplainMethod.OCCLUSION, heatmap.label to heatmap.method)
        assertEquals(numbers("values").map { it.jsonPrimitive.content.toFloat() }, heatmap.values)
        assertEquals(heatmap.width * heatmap.height, heatmap.values.size.toUInt())
        val frame = numbers("frame").flatMap { it.jsonArray }.map { it.jsonPrimitive.content.toDouble() }
        assertEquals(frame, heatmap.frame)
        assertEquals(written.getValue("max").jsonPrimitive.content.toFloat(), heatmap.max)
        assertEquals(written.getValue("evidence").jsonPrimitive.content, heatmap.evidence.toString())
        // The golden picture has 32 pixels a side, and so has the input, which sees all of it.
        assertEquals(listOf(32u, 32u), heatmap.picture)
        assertEquals(listOf(0.0, 0.0, 32.0, 32.0), heatmap.seen)
        assertEquals("PNG", String(picture.overlay(heatmap), 1, 3))
        val other = Image.open(Repository.file(Repository.samples.first()).path)
        assertFailsWith<BedsideException.InvalidQuery> { other.overlay(heatmap) }
        assertFailsWith<BedsideException.InvalidQuery> { picture.overlay(heatmap.copy(frame = emptyList())) }
        val activation = Query(explain = Explain(method = ExplainMethod.CLASS_ACTIVATION))
        val refused = assertFailsWith<BedsideException.InvalidQuery> { classify(activation) }
        assertContains(refused.message!!, "explanation")
    }

    @Test
    fun novelty_is_measured_where_the_model_tells() {
        assertEquals(null, classifier.classify(picture).novelty)
        val hash = classifier.identity().graphSha256
        val calibration =
            json("""{"graph_sha256": "$hash", "novelty": {"method": "energy", "soft": -99, "hard": 99}}""")
        TinyModel.open(TinyModel.manifest("calibration", calibration)).use { model ->
            val report = model.classify(picture)
            val value = json(report.json).getValue("novelty").jsonObject.getValue("value").jsonPrimitive.content
            assertEquals(Novelty(value.toFloat(), soft = -99f, hard = 99f), report.novelty)
        }
    }

    @Test
    fun sigmoid_model_gives_several_labels_or_none() {
        val several = sigmoid(operatingPoint = 0).use { it.classify(picture) }
        val names = listOf("a", "b", "c").map { LabelName(it, "Label $it", Triage.NO_SIGN) }
        assertEquals(Verdict.Several(names), several.verdict)
        assertEquals(Triage.REFER to DecidedBy.NO_SIGN_NOT_SHOWN, several.triage to several.decidedBy)
        assertTrue(several.findings.all { it.overOperatingPoint && it.operatingPoint == 0f })
        val none = sigmoid(operatingPoint = 1).use { it.classify(picture) }
        assertEquals<Verdict>(Verdict.Undecided, none.verdict)
        assertEquals(Triage.REFER to DecidedBy.UNDECIDED, none.triage to none.decidedBy)
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
    fun verdict_has_the_most_pressing_label_first() {
        val levels = listOf("a" to "no_sign", "b" to "refer", "c" to "urgent").joinToString { (id, level) ->
            """{"id": "$id", "name": {"en": "Label $id"}, "operating_point": 0, "triage": "$level"}"""
        }
        val output = json("""{"activation": "softmax", "labels": [$levels]}""")
        TinyModel.open(TinyModel.manifest("output", output)).use { classifier ->
            val wanted = listOf("c" to Triage.URGENT, "b" to Triage.REFER, "a" to Triage.NO_SIGN)
            val found = (classifier.classify(picture).verdict as Verdict.Several).labels
            assertEquals(wanted, found.map { it.id to it.level })
        }
    }

    @Test
    fun danger_sign_sets_the_triage_and_is_in_the_report() {
        val scope = """
            {"scope": [{"id": "ready", "required": true},
                       {"id": "bleeds", "question": {"en": "Does it bleed?", "uk": "Кровить?"}, "role": "danger",
                        "level": "urgent"}],
             "output": {"activation": "softmax", "labels": [
                 {"id": "a", "name": {"en": "A"}, "operating_point": 0.3, "triage": "refer"},
                 {"id": "b", "name": {"en": "B"}}, {"id": "c", "name": {"en": "C"}}]}}
        """
        TinyModel.open(JsonObject(TinyModel.manifest + json(scope))).use { classifier ->
            val asked = ScopeQuestion(
                "bleeds", "Does it bleed?", QuestionRole.DANGER, Triage.URGENT, required = false, min = null,
                max = null,
            )
            assertEquals(asked, classifier.manifest().scope.last())
            val ready = "ready" to Answer.Yes
            val without = classifier.classify(picture, Query(answers = mapOf(ready, "bleeds" to Answer.No)))
            assertEquals(Triage.REFER to DecidedBy.LABEL, without.triage to without.decidedBy)
            assertEquals(emptyList(), without.danger)
            val yes = Query(language = "uk", answers = mapOf(ready, "bleeds" to Answer.Yes))
            val with = classifier.classify(picture, yes)
            assertEquals(without.verdict, with.verdict)
            assertEquals(Triage.URGENT to DecidedBy.DANGER, with.triage to with.decidedBy)
            assertEquals(listOf(DangerSign("bleeds", "Кровить?", Triage.URGENT)), with.danger)
            val rejected = classifier.classify(picture, Query(answers = mapOf("bleeds" to Answer.Yes)))
            assertTrue(rejected.verdict is Verdict.Rejected)
            assertEquals(Triage.URGENT to DecidedBy.DANGER, rejected.triage to rejected.decidedBy)
        }
    }

    @Test
    fun group_stands_in_place_of_its_labels_and_is_no_score() {
        val output = TinyModel.manifest.getValue("output").jsonObject + json(
            """
            {"groups": [{"id": "bc", "name": {"en": "Group"}, "labels": ["b", "c"], "operating_point": 0.2,
                         "triage": "refer"}]}
            """,
        )
        TinyModel.open(TinyModel.manifest("output", JsonObject(output))).use { classifier ->
            val shown = listOf(
                Label("a", "Label A", operatingPoint = 0.3f, Triage.URGENT),
                Label("bc", "Group", operatingPoint = 0.2f, Triage.REFER),
            )
            assertEquals(shown, classifier.manifest().shownLabels)
            assertEquals(listOf("a", "b", "c"), classifier.manifest().labels.map { it.id })
            assertEquals(listOf("a", "bc"), classifier.classify(picture).findings.map { it.label })
            assertEquals(3, classifier.scores(picture).size)
        }
    }

    @Test
    fun manifest_advice_is_the_models_or_else_that_of_the_library() {
        val advice = json("""{"urgent": {"en": "A doctor today.", "uk": "Лікар сьогодні."}}""")
        TinyModel.open(TinyModel.manifest("advice", advice)).use { classifier ->
            assertEquals("Лікар сьогодні.", classifier.manifest("uk").advice.of(Triage.URGENT))
            val english = classifier.manifest().advice
            assertEquals("A doctor today.", classifier.classify(picture).advice)
            assertEquals(
                listOf(english.noSign, english.unassessed, english.refer, english.urgent),
                Triage.entries.map(english::of),
            )
            assertEquals("A clinician should look at it.", english.of(Triage.REFER))
            assertEquals("A doctor today.", english.of(Triage.URGENT))
        }
    }

    @Test
    fun manifest_fields_equal_what_was_written() {
        val written = json(
            """
            {"title": {"en": "A title", "uk": "Назва"}, "intended_use": {"en": "For tests", "uk": "Для тестів"},
             "not_for": {"en": "For nobody", "uk": "Ні для кого"},
             "advice": {"no_sign": {"en": "none"}, "unassessed": {"en": "not assessed"}, "refer": {"en": "look"},
                        "urgent": {"en": "look soon"}}}
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
                advice = Advice("none", "not assessed", "look", "look soon"),
                scope = listOf(
                    question("ready", "Ready?", min = null, max = null),
                    question("age", "age", min = 18.5, max = 90.0),
                ),
                labels = listOf(
                    Label("a", "Label A", operatingPoint = 0.3f, Triage.URGENT),
                    Label("b", "Label B", operatingPoint = null, Triage.NO_SIGN),
                    Label("c", "Label C", operatingPoint = null, Triage.REFER),
                ),
                shownLabels = listOf(
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
                question("first", "first", required = true, min = null, max = null),
                question("most", "most", min = null, max = 7.0),
            )
            assertEquals(wanted, classifier.manifest().scope)
        }
    }

    /** A question about scope. */
    private fun question(id: String, text: String, min: Double?, max: Double?, required: Boolean = false) =
        ScopeQuestion(id, text, QuestionRole.SCOPE, level = null, required, min, max)

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
