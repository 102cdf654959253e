package dev.bedside.demo

import android.content.Intent
import android.graphics.BitmapFactory
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Captures with the chest X-ray model, from its questions to its result. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ChestTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun setLanguage() {
        RuntimeEnvironment.setQualifiers("+$language")
    }

    @Test
    fun chest_questions_ask_for_the_age_in_years_and_months() {
        val phone = Phone()
        phone.chooseTask(R.id.chest)
        phone.assertShows(deck["questions.age", "1", "5"])
        phone.tap(R.id.next)
        assertEquals(deck["questions.open"], phone.text(R.id.message))
        val (years, months) = phone.numberFields()
        phone.type(years, "2")
        phone.type(months, "12")
        phone.tap(R.id.next)
        assertEquals(deck["questions.not_an_age"], phone.text(R.id.message))
    }

    @Test
    fun chest_age_under_a_year_is_out_of_scope_by_its_months() {
        val phone = Phone()
        phone.chooseTask(R.id.chest)
        phone.type(phone.numberFields().last(), "11")
        phone.tap(R.id.yes)
        phone.tap(R.id.next)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.unassessed"], phone.text(R.id.title))
        phone.assertShows(deck["result.next"])
    }

    @Test
    fun chest_age_out_of_scope_gives_a_result_without_a_picture() {
        val phone = Phone()
        phone.chooseTask(R.id.chest)
        phone.type(phone.numberFields().first(), "40")
        phone.tap(R.id.yes)
        phone.tap(R.id.next)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.unassessed"], phone.text(R.id.title))
        assertEquals(deck["reason.scope_out_of_range", "${ageQuestion()} (1–5)"], phone.text(R.id.reasons))
    }

    @Test
    fun typed_age_survives_the_end_of_the_process() {
        val phone = Phone()
        phone.chooseTask(R.id.chest)
        phone.numberFields().zip(listOf("2", "6")).forEach { (field, text) -> phone.type(field, text) }
        phone.endProcess()
        phone.await(Step.QUESTIONS) { phone.shown(R.id.questions) }
        assertEquals(listOf("2", "6"), phone.numberFields().map { it.text.toString() })
    }

    @Test
    fun chest_picture_is_chosen_from_files() {
        val phone = Phone()
        phone.openChestPicture("3")
        assertFalse(phone.shown(R.id.take))
        phone.assertShows(deck["picture.hint_chest"])
        phone.tap(R.id.choose)
        val intent = shadowOf(phone.activity).nextStartedActivityForResult.intent
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, intent.action)
        assertTrue("application/dicom" in intent.getStringArrayExtra(Intent.EXTRA_MIME_TYPES).orEmpty())
    }

    @Test
    fun chest_result_equals_the_commands_for_each_sample() {
        val folder = File(root, "models/samples")
        val samples = folder.listFiles { file -> file.extension == "jpeg" }.orEmpty()
        assertEquals(6, samples.size)
        for (sample in samples) {
            val phone = Phone()
            phone.openChestPicture("3")
            phone.classifyPicture(galleryAddress(sample.name))
            val expected = command(sample, "chest-xray", language, "age=3", "frontal_file=yes")
            assertEquals(deck["triage.${expected.getString("triage")}"], phone.text(R.id.title))
            assertEquals(expected.getString("summary"), phone.text(R.id.verdict))
            assertEquals(expected.getString("advice"), phone.text(R.id.advice))
            phone.tap(R.id.clinicians)
            assertTexts(expected.findings(deck).flatMap { it.toList() }, phone.texts())
            phone.close()
        }
    }

    @Test
    fun film_of_an_archive_gives_the_result_of_its_export_and_a_warning_of_what_is_written_in_it() {
        val expected = command(sample("film.png"), "chest-xray", language, "age=3", "frontal_file=yes")
        val phone = Phone()
        phone.openChestPicture("3")
        phone.classifyPicture(galleryAddress("film.dcm"))
        assertEquals(deck["triage.${expected.getString("triage")}"], phone.text(R.id.title))
        assertEquals(expected.getString("summary"), phone.text(R.id.verdict))
        assertEquals(deck["warning.burned_in"], phone.text(R.id.reasons))
        // Android has no decoder for it, and the library has one.
        assertNull(BitmapFactory.decodeFile(sample("film.dcm").path))
        assertTrue(phone.shown(R.id.picture))
        phone.tap(R.id.clinicians)
        assertTexts(expected.findings(deck).flatMap { it.toList() }, phone.texts())
        phone.close()
    }

    private fun ageQuestion(): String =
        questions("chest-xray", "scope").first { it.has("min") }.getJSONObject("question").getString(language)

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
