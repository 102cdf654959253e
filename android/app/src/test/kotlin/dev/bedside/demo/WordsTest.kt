package dev.bedside.demo

import android.content.pm.PackageManager
import android.content.res.Resources
import android.graphics.Bitmap
import android.graphics.Color
import android.media.ExifInterface
import dev.bedside.Advice
import dev.bedside.Answer
import dev.bedside.BedsideException
import dev.bedside.DecidedBy
import dev.bedside.Manifest
import dev.bedside.QuestionRole
import dev.bedside.ScopeQuestion
import dev.bedside.Triage
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Texts of numbers, errors and answers, and the rotation of previews. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class WordsTest {
    private val deck = Deck("en")
    private val resources: Resources
        get() = RuntimeEnvironment.getApplication().resources

    @Test
    fun percent_has_one_decimal_in_the_format_of_the_language() {
        assertEquals("41.7\u00a0%", resources.percent(0.4166))
        assertEquals("100.0\u00a0%", resources.percent(1.0))
        RuntimeEnvironment.setQualifiers("+uk")
        assertEquals("0,5\u00a0%", resources.percent(0.005))
    }

    @Test
    fun each_deciding_rule_has_a_sentence() {
        val sentences = DecidedBy.entries.map { resources.getString(it.sentence) }
        assertEquals(DecidedBy.entries.map { deck["clinicians.decided_${it.name.lowercase()}"] }, sentences)
    }

    @Test
    fun error_about_the_model_does_not_ask_for_another_picture() {
        val internal = { kind: String -> deck["error.internal", kind] }
        assertEquals(deck["error.io"], sentence(BedsideException.Io(""), aboutPicture = true))
        assertEquals(internal("Io"), sentence(BedsideException.Io(""), aboutPicture = false))
        assertEquals(deck["error.too_large"], sentence(BedsideException.TooLarge(""), aboutPicture = true))
        assertEquals(internal("SelfTest"), sentence(BedsideException.SelfTest(""), aboutPicture = false))
        assertEquals(internal("Internal"), sentence(BedsideException.Internal(""), aboutPicture = true))
    }

    @Test
    fun number_answer_may_have_a_comma_and_must_be_a_number() {
        val weight = question("weight", true, 1.0, 5.0)
        val answer = { text: String -> weight.answer(mapOf("weight" to text)) }
        assertEquals(Answer.Number(2.5), answer("2,5"))
        assertEquals(Answer.Number(3.0), answer(" 3 "))
        listOf("", "three", "1e9", "--1", "1.2.3", "NaN").forEach { assertNull(it, answer(it)) }
    }

    @Test
    fun age_is_whole_years_and_months_of_which_one_may_be_empty() {
        val age = question("age", true, 1.0, 5.0)
        val answer = { years: String, months: String -> age.answer(mapOf("age" to years, "age.months" to months)) }
        assertEquals(Answer.Number(2.5), answer("2", "6"))
        assertEquals(Answer.Number(3.0), answer("3", ""))
        assertEquals(Answer.Number(0.75), answer("", "9"))
        listOf("" to "", "2" to "12", "2.5" to "", "-1" to "2", "two" to "1").forEach { (years, months) ->
            assertNull("$years, $months", answer(years, months))
        }
        val slip = resources.answer(age, mapOf("age" to "2", "age.months" to "6"))
        assertEquals("? ${deck["questions.age_answer", "2", "6"]}", slip)
    }

    @Test
    fun shares_are_percentages_of_all_labels_that_sum_to_100() {
        val labels = listOf("a", "b")
        assertEquals(emptyMap<String, Float>(), prevalence(labels, emptyMap()))
        assertEquals(mapOf("a" to 0.125f, "b" to 0.875f), prevalence(labels, mapOf("a" to "12,5", "b" to "87.5")))
        listOf(mapOf("a" to "100"), mapOf("a" to "50", "b" to "40"), mapOf("a" to "-1", "b" to "101")).forEach {
            assertNull("$it", prevalence(labels, it))
        }
    }

    @Test
    fun optional_question_may_stay_unanswered_but_not_hold_other_text() {
        val weight = question("weight", false, 1.0, null)
        assertEquals(false, weight.isOpen(emptyMap()))
        assertEquals(false, weight.isOpen(mapOf("weight" to "12")))
        assertEquals(true, weight.isOpen(mapOf("weight" to "twelve")))
        assertEquals(true, question("a", true, null, null).isOpen(emptyMap()))
    }

    @Test
    fun danger_signs_in_the_answers_set_the_triage_of_a_picture_that_is_not_assessed() {
        val danger = { id: String, level: Triage ->
            ScopeQuestion(id, "?", QuestionRole.DANGER, level, required = false, min = null, max = null)
        }
        val questions =
            listOf(question("ready", true, null, null), danger("grows", Triage.REFER), danger("bleeds", Triage.URGENT))
        val manifest = Manifest(
            "tiny", "1", "CC0-1.0", "", "", "", Advice("", "", "", ""), questions, emptyList(), emptyList(), "{}",
        )
        val (yes, no) = Capture.YES to Capture.NO
        assertEquals(Triage.UNASSESSED, manifest.unassessedTriage(mapOf("ready" to yes, "bleeds" to no)))
        assertEquals(Triage.REFER, manifest.unassessedTriage(mapOf("ready" to no, "grows" to yes)))
        assertEquals(Triage.URGENT, manifest.unassessedTriage(mapOf("grows" to yes, "bleeds" to yes)))
        val asked = query(manifest, mapOf("bleeds" to yes), "en").answers
        assertEquals(mapOf("bleeds" to Answer.Yes), asked)
        assertEquals(false, questions.last().isOpen(emptyMap()))
    }

    @Test
    fun number_question_hint_names_its_bounds() {
        val hint = { min: Double?, max: Double? -> resources.hint(question("weight", true, min, max)) }
        assertEquals(deck["questions.age", "1", "5"], resources.hint(question("age", true, 1.0, 5.0)))
        assertEquals(deck["questions.number", "1", "5"], hint(1.0, 5.0))
        assertEquals(deck["questions.number_min", "18"], hint(18.0, null))
        assertEquals(deck["questions.number_max", "2.5"], hint(null, 2.5))
    }

    /**
     * The picture is red at the top left and blue elsewhere. The EXIF standard gives the corner that is red when
     * upright.
     */
    @Test
    fun preview_is_rotated_by_the_exif_orientation() {
        val places = mapOf(
            ExifInterface.ORIENTATION_NORMAL to (0 to 0),
            ExifInterface.ORIENTATION_FLIP_HORIZONTAL to (1 to 0),
            ExifInterface.ORIENTATION_ROTATE_180 to (1 to 1),
            ExifInterface.ORIENTATION_FLIP_VERTICAL to (0 to 1),
            ExifInterface.ORIENTATION_TRANSPOSE to (0 to 0),
            ExifInterface.ORIENTATION_ROTATE_90 to (1 to 0),
            ExifInterface.ORIENTATION_TRANSVERSE to (1 to 1),
            ExifInterface.ORIENTATION_ROTATE_270 to (0 to 1),
        )
        for ((orientation, place) in places) {
            val preview = upright(bitmapWithRedCorner(), orientation)
            val quarter = orientation >= ExifInterface.ORIENTATION_TRANSPOSE
            assertEquals(if (quarter) 20 to 40 else 40 to 20, preview.width to preview.height)
            val corner = preview.getPixel(place.first * (preview.width - 1), place.second * (preview.height - 1))
            assertEquals("orientation $orientation", Color.RED, corner)
        }
    }

    private fun bitmapWithRedCorner(): Bitmap = Bitmap.createBitmap(40, 20, Bitmap.Config.ARGB_8888).apply {
        eraseColor(Color.BLUE)
        for (x in 0 until 10) for (y in 0 until 10) setPixel(x, y, Color.RED)
    }

    @Test
    fun app_requests_no_permission() {
        val context = RuntimeEnvironment.getApplication()
        val info = context.packageManager.getPackageInfo(context.packageName, PackageManager.GET_PERMISSIONS)
        assertEquals(emptyList<String>(), info.requestedPermissions.orEmpty().toList())
    }

    private fun question(id: String, required: Boolean, min: Double?, max: Double?) =
        ScopeQuestion(id, "?", QuestionRole.SCOPE, level = null, required, min, max)

    private fun sentence(error: BedsideException, aboutPicture: Boolean): String =
        resources.sentence(Outcome.Failed(error, aboutPicture))
}
