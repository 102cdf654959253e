package dev.bedside.demo

import android.graphics.Rect
import android.widget.CheckBox
import android.widget.LinearLayout
import java.io.ByteArrayInputStream
import java.io.File
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** A picture whose triage is Refer. */
private const val KERATOSIS = "ISIC_0012090.jpg"

/** What decides a result beside the labels: danger signs, the picture's quality, and nothing. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi", shadows = [PdfStandIn::class])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ResultTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun setLanguage() = RuntimeEnvironment.setQualifiers("+$language")

    @Test
    fun danger_sign_is_a_checkbox_that_answers_yes_and_no_answer() {
        val phone = Phone()
        phone.chooseTask(R.id.skin)
        phone.assertShows(deck["danger.title"])
        phone.assertShows(deck["danger.source_skin"])
        val rows = phone.view(R.id.signs) as LinearLayout
        val lump = sign("skin-lesion", "lump")
        assertEquals(questions("skin-lesion", "danger").size, rows.childCount)
        assertTrue(rows.getChildAt(0) is CheckBox)
        phone.tapSign(lump)
        assertEquals(mapOf("lump" to Capture.YES), phone.capture.answers)
        phone.tapSign(lump)
        assertEquals(emptyMap<String, String>(), phone.capture.answers)
    }

    @Test
    fun danger_sign_decides_over_a_picture_whose_triage_is_lower() {
        val phone = resultOf(KERATOSIS, "sore")
        val expected = report("sore=yes")
        assertEquals("danger", expected.getString("decided_by"))
        assertShows(expected, phone)
        assertEquals(deck["result.danger"], phone.text(R.id.because))
        assertEquals("• ${sign("skin-lesion", "sore")}", phone.text(R.id.signs))
        assertTrue(phone.shown(R.id.slip))
        phone.endProcess()
        phone.await(Step.RESULT) { phone.shown(R.id.because) }
        assertEquals("• ${sign("skin-lesion", "sore")}", phone.text(R.id.signs))
    }

    @Test
    fun danger_sign_decides_where_the_answers_exclude_every_picture() {
        val phone = Phone().apply { openResultWithoutPicture("nail", "changed") }
        val expected =
            command(
                sample(KERATOSIS), "skin-lesion", language,
                "dermatoscope=no", "mole_like=yes", "nail=yes", "changed=yes",
            )
        assertShows(expected, phone)
        val signs = listOf("changed", "nail").map { "• ${sign("skin-lesion", it)}" }
        assertEquals(signs, phone.text(R.id.signs).lines())
        assertTrue(phone.shown(R.id.slip))
        assertFalse(phone.shown(R.id.again) || phone.shown(R.id.clinicians))
    }

    @Test
    fun first_picture_of_poor_quality_from_the_camera_may_be_taken_again() {
        val phone = Phone().apply { takeGrayPicture() }
        val first = gray(listOf("--source", "camera"))
        assertEquals("quality", first.getString("decided_by"))
        assertShows(first, phone)
        assertTrue(phone.shown(R.id.retake))
        assertFalse(phone.shown(R.id.slip) || phone.shown(R.id.again))
        phone.tap(R.id.retake)
        assertFalse(phone.shown(R.id.use_same))
        phone.takePicture(grayPicture())
        phone.await(Step.RESULT)
        val second = gray(listOf("--source", "camera", "--refusals", "1"))
        assertEquals("repeated_quality", second.getString("decided_by"))
        assertShows(second, phone)
        assertFalse(phone.shown(R.id.retake))
        assertTrue(phone.shown(R.id.slip))
    }

    @Test
    fun picture_of_poor_quality_from_a_file_is_not_asked_for_again() {
        val phone = Phone()
        phone.openSkinPicture()
        phone.classifyPicture(galleryAddress("gray.png") { ByteArrayInputStream(grayPicture()) })
        assertShows(gray(listOf("--source", "file")), phone)
        assertFalse(phone.shown(R.id.retake))
    }

    @Test
    fun result_without_a_sign_has_no_slip() {
        val phone = noSignResult()
        assertEquals(deck["triage.no_sign"], phone.text(R.id.title))
        val advice = manifest("chest-xray").getJSONObject("advice").getJSONObject("no_sign").getString(language)
        assertEquals(advice, phone.text(R.id.advice))
        assertFalse(phone.shown(R.id.slip) || phone.shown(R.id.because))
        assertTrue(phone.shown(R.id.again) && phone.shown(R.id.clinicians))
    }

    @Test
    fun page_for_clinicians_has_the_shares_the_measures_and_what_decided() {
        val phone = resultOf(KERATOSIS).apply { tap(R.id.clinicians) }
        val manifest = manifest("skin-lesion")
        val labels = manifest.getJSONObject("output").getJSONArray("labels").objects()
        val shares = manifest.getJSONObject("calibration").getJSONArray("prevalence")
        val expected = labels.mapIndexed { index, label ->
            val name = label.getJSONObject("name").getString(language)
            deck["clinicians.share", name, deck.percent(shares.getDouble(index))]
        }
        assertEquals(expected, phone.text(R.id.assumed_shares).lines())
        val report = report()
        val quality = report.getJSONObject("quality")
        val measures = listOf("focus", "dark", "bright", "contrast", "color", "size").map {
            deck.decimal(quality.getDouble(it), 2)
        }
        assertEquals(deck.get("clinicians.quality", *measures.toTypedArray()), phone.text(R.id.quality))
        assertEquals(deck["clinicians.decided_${report.getString("decided_by")}"], phone.text(R.id.decided))
        phone.assertShows(deck["clinicians.triage"])
        phone.back()
        assertEquals(Step.RESULT, phone.capture.step)
    }

    @Test
    fun shares_of_a_group_are_those_of_its_labels_together() {
        val phone = Phone()
        phone.openChestPicture("3")
        phone.classifyPicture(galleryAddress("IM-0001-0001.jpeg"))
        phone.tap(R.id.clinicians)
        // 0.483622 + 0.258189 of the manifest's calibration.
        assertTrue(phone.text(R.id.assumed_shares).lines().last().endsWith(deck.percent(0.741811)))
    }

    @Test
    fun shares_that_are_entered_change_the_probabilities_and_not_the_triage() {
        val phone = resultOf(KERATOSIS).apply { tap(R.id.clinicians) }
        val entered = listOf("2", "88", "10")
        phone.applyShares(*entered.toTypedArray())
        val shares = labels().zip(listOf("0.02", "0.88", "0.1")).flatMap { (label, share) ->
            listOf("--prevalence", "$label=$share")
        }
        val expected = command(sample(KERATOSIS), "skin-lesion", language, ANSWERED + shares)
        assertFalse(expected.findings(deck) == report().findings(deck))
        assertTexts(expected.findings(deck).flatMap { it.toList() }, phone.texts())
        phone.assertShows(deck["clinicians.with_local"])
        phone.endProcess()
        phone.await(Step.CLINICIANS) { phone.shown(R.id.rows) }
        assertTexts(expected.findings(deck).flatMap { it.toList() }, phone.texts())
        phone.back()
        assertShows(report(), phone)
    }

    @Test
    fun page_for_clinicians_has_no_shares_where_the_picture_was_not_assessed() {
        val phone = Phone().apply {
            takeGrayPicture()
            tap(R.id.clinicians)
        }
        phone.assertShows(deck["clinicians.none"])
        assertEquals(deck["clinicians.decided_quality"], phone.text(R.id.decided))
        assertTrue(phone.shown(R.id.quality))
        assertFalse(phone.shown(R.id.shares))
    }

    @Test
    fun question_without_an_answer_is_scrolled_into_view() {
        for ((size, id) in listOf(1f to R.id.no, 2f to R.id.question)) {
            RuntimeEnvironment.setFontScale(size)
            val phone = Phone()
            phone.chooseTask(R.id.skin)
            phone.tap(R.id.next)
            assertEquals(deck["questions.open"], phone.text(R.id.message))
            drawn(phone.activity.window.decorView)
            phone.idle()
            val seen = Rect()
            assertTrue(phone.view(id).getGlobalVisibleRect(seen))
            assertEquals(phone.view(id).height, seen.height())
            phone.close()
        }
    }

    @Test
    fun shares_that_do_not_sum_to_100_are_refused() {
        val phone = resultOf(KERATOSIS).apply { tap(R.id.clinicians) }
        phone.applyShares("2", "88", "20")
        assertEquals(deck["clinicians.not_shares"], phone.text(R.id.message))
        assertEquals(emptyMap<String, String>(), phone.capture.shares)
    }

    private fun resultOf(name: String, vararg signs: String): Phone = Phone().apply {
        openSkinPicture(*signs.map { sign("skin-lesion", it) }.toTypedArray())
        classifyPicture(galleryAddress(name))
    }

    private fun report(vararg danger: String): JSONObject =
        command(sample(KERATOSIS), "skin-lesion", language, "dermatoscope=yes", "mole_like=yes", *danger)

    /** The command's report of a grey picture. */
    private fun gray(options: List<String>): JSONObject {
        val file = File.createTempFile("gray", ".png").apply { deleteOnExit() }
        file.writeBytes(grayPicture())
        val answers = listOf("--answer", "dermatoscope=yes", "--answer", "mole_like=yes")
        return command(file, "skin-lesion", language, answers + options)
    }

    private fun labels(): List<String> =
        manifest("skin-lesion").getJSONObject("output").getJSONArray("labels").objects().map { it.getString("id") }

    private fun assertShows(report: JSONObject, phone: Phone) {
        assertEquals(deck["triage.${report.getString("triage")}"], phone.text(R.id.title))
        assertEquals(report.getString("advice"), phone.text(R.id.advice))
        assertEquals(report.getString("summary"), phone.text(R.id.verdict))
        val messages = report.messages()
        if (messages.isEmpty()) assertFalse(phone.shown(R.id.reasons))
        else assertEquals(messages.joinToString("\n\n"), phone.text(R.id.reasons))
    }

    companion object {
        private val ANSWERED = listOf("--source", "file", "--answer", "dermatoscope=yes", "--answer", "mole_like=yes")

        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
