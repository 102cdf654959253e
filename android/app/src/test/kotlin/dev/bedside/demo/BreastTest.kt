package dev.bedside.demo

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Captures with the model for breast ultrasound, from its questions to its result. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class BreastTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun setLanguage() {
        RuntimeEnvironment.setQualifiers("+$language")
    }

    @Test
    fun breast_frame_is_chosen_from_files() {
        val phone = Phone()
        phone.openBreastPicture()
        assertFalse(phone.shown(R.id.take))
        assertFalse(phone.shown(R.id.guide))
        phone.assertShows(deck["picture.hint_breast"])
    }

    @Test
    fun breast_result_equals_the_commands_for_each_sample() {
        val samples = samples("breast-ultrasound")
        assertEquals(6, samples.size)
        val answers = questions("breast-ultrasound", "scope").map { "${it.getString("id")}=yes" }.toTypedArray()
        for (sample in samples) {
            val phone = Phone()
            phone.openBreastPicture()
            phone.classifyPicture(galleryAddress(sample))
            val expected = command(sample(sample), "breast-ultrasound", language, *answers)
            assertEquals(deck["triage.${expected.getString("triage")}"], phone.text(R.id.title))
            assertEquals(expected.getString("summary"), phone.text(R.id.verdict))
            assertEquals(expected.getString("advice"), phone.text(R.id.advice))
            assertNotEquals("no_sign", expected.getString("triage"))
            phone.close()
        }
    }

    @Test
    fun lump_that_can_be_felt_is_urgent_whatever_the_frame_shows() {
        val phone = Phone()
        phone.openBreastPicture(sign("breast-ultrasound", "palpable"))
        phone.classifyPicture(galleryAddress("normal_103.png"))
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
        phone.assertShows(deck["result.danger"])
    }

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
