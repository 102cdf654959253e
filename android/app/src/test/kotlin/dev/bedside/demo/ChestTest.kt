package dev.bedside.demo

import android.content.Intent
import java.io.File
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The chest X-ray, with its own questions and its own way to a picture. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ChestTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun speak() {
        RuntimeEnvironment.setQualifiers("+$language")
    }

    @Test
    fun the_age_is_asked_for_as_a_number() {
        val phone = Phone()
        phone.chooses(R.id.chest)
        phone.shows(deck["questions.number", "1", "5"])
        phone.tap(R.id.next)
        assertEquals(deck["questions.open"], phone.text(R.id.message))
        phone.type(phone.numberField(), "7.5.1")
        phone.tap(R.id.next)
        assertEquals(deck["questions.not_a_number"], phone.text(R.id.message))
    }

    @Test
    fun another_age_gives_the_result_without_a_picture() {
        val phone = Phone()
        phone.chooses(R.id.chest)
        phone.type(phone.numberField(), "40")
        phone.tap(R.id.yes)
        phone.tap(R.id.next)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.unassessed"], phone.text(R.id.title))
        assertEquals(deck["reason.scope_out_of_range", ageQuestion()], phone.text(R.id.reasons))
    }

    @Test
    fun a_typed_age_outlives_the_process() {
        val phone = Phone()
        phone.chooses(R.id.chest)
        phone.type(phone.numberField(), "2,5")
        phone.processDies()
        phone.await(Step.QUESTIONS) { phone.shown(R.id.questions) }
        assertEquals("2,5", phone.numberField().text.toString())
    }

    @Test
    fun the_picture_is_a_file_and_not_a_photo() {
        val phone = Phone()
        phone.toChestPicture("3")
        assertFalse(phone.shown(R.id.take))
        phone.shows(deck["picture.hint_chest"])
        phone.tap(R.id.choose)
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, shadowOf(phone.activity).nextStartedActivityForResult.intent.action)
    }

    @Test
    fun every_sample_says_what_the_command_says() {
        val folder = File(root, "models/samples")
        val samples = folder.listFiles { file -> file.extension == "jpeg" }.orEmpty()
        assertEquals(6, samples.size)
        for (sample in samples) {
            val phone = Phone()
            phone.toChestPicture("3")
            phone.looksAt(elsewhere(sample.name))
            val said = command(sample, "chest-xray", language, *answers())
            assertEquals(deck["triage.${said.getString("triage")}"], phone.text(R.id.title))
            val kind = said.getJSONObject("verdict").getString("kind")
            assertEquals(deck["verdict.$kind", said.labels().joinToString(", ")], phone.text(R.id.verdict))
            assertTexts(said.findings(deck).flatMap { it.toList() }, phone.texts())
            phone.tap(R.id.danger)
            assertTexts(deck["danger.chest"].lines(), phone.texts())
            phone.leaves()
        }
    }

    private fun scope(): List<JSONObject> {
        val manifest = JSONObject(File(root, "models/chest-xray/manifest.json").readText())
        val scope = manifest.getJSONArray("scope")
        return List(scope.length(), scope::getJSONObject)
    }

    private fun ageQuestion(): String = scope().first { it.has("min") }.getJSONObject("question").getString(language)

    private fun answers(): Array<String> =
        scope().map { "${it.getString("id")}=${if (it.has("min")) "3" else "yes"}" }.toTypedArray()

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
