package dev.bedside.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Rect
import android.net.Uri
import android.provider.MediaStore
import java.io.ByteArrayInputStream
import java.io.File
import java.io.FileInputStream
import java.io.FileNotFoundException
import java.io.FileOutputStream
import java.io.InputStream
import java.util.concurrent.CountDownLatch
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
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

/** Single, refer. */
private const val KERATOSIS = "ISIC_0012134.jpg"

/** Several, urgent. */
private const val MELANOMA = "ISIC_0012086.jpg"

/** From the picture to the screen, with the real library and the real model, in both languages. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi", shadows = [PdfStandIn::class])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class SkinTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun speak() = RuntimeEnvironment.setQualifiers("+$language")

    @Test
    fun one_label_that_asks_for_a_clinician() {
        val phone = looked(KERATOSIS)
        val said = said(KERATOSIS)
        assertEquals("single", said.getJSONObject("verdict").getString("kind"))
        assertEquals("refer", said.getString("triage"))
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
        assertEquals(deck["triage.refer_advice"], phone.text(R.id.advice))
        assertEquals(deck["verdict.single", said.labels().single()], phone.text(R.id.verdict))
        assertSameNumbers(said, phone)
    }

    @Test
    fun several_labels_of_which_one_is_urgent() {
        val phone = looked(MELANOMA)
        val said = said(MELANOMA)
        assertEquals("several", said.getJSONObject("verdict").getString("kind"))
        assertEquals("urgent", said.getString("triage"))
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
        assertEquals(deck["triage.urgent_advice"], phone.text(R.id.advice))
        assertEquals(deck["verdict.several", said.labels().joinToString(", ")], phone.text(R.id.verdict))
        assertSameNumbers(said, phone)
    }

    @Test
    fun the_result_has_the_picture_the_notice_and_the_danger_signs() {
        val phone = looked(KERATOSIS)
        assertTrue(phone.shown(R.id.picture))
        assertEquals(deck["app.notice"], phone.text(R.id.notice))
        phone.tap(R.id.danger)
        phone.shows(deck["danger.lead_skin"])
        assertTexts(deck["danger.skin"].lines(), phone.texts())
        assertFalse(deck["danger.chest"].lines().first() in phone.texts())
        phone.tap(R.id.close)
        assertFalse(phone.shown(R.id.signs))
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun the_first_screen_says_what_it_is_and_has_the_danger_signs_of_both() {
        val phone = Phone()
        val expected = listOf("home.title", "home.skin", "home.chest", "app.notice").map { deck[it] }
        assertTexts(expected, phone.texts())
        phone.tap(R.id.danger)
        assertTexts(deck["danger.skin"].lines() + deck["danger.chest"].lines(), phone.texts())
        assertTexts(listOf(deck["danger.lead_skin"], deck["danger.lead_chest"]), phone.texts())
        phone.back()
        assertFalse(phone.shown(R.id.signs))
    }

    @Test
    fun the_questions_are_the_models_own() {
        val manifest = JSONObject(File(root, "models/skin-lesion/manifest.json").readText())
        val question = manifest.getJSONArray("scope").getJSONObject(0).getJSONObject("question")
        val phone = Phone()
        phone.chooses(R.id.skin)
        phone.shows(question.getString(language))
        phone.shows(manifest.getJSONObject("intended_use").getString(language))
        phone.shows(manifest.getJSONObject("not_for").getString(language))
        phone.tap(R.id.next)
        assertEquals(deck["questions.open"], phone.text(R.id.message))
        assertEquals(Step.QUESTIONS, phone.capture.step)
    }

    @Test
    fun an_answer_that_rejects_gives_the_result_without_a_picture() {
        val phone = Phone()
        phone.chooses(R.id.skin)
        phone.tap(R.id.no)
        phone.tap(R.id.next)
        phone.await(Step.RESULT)
        val verdict = said(KERATOSIS, "dermatoscope=no").getJSONObject("verdict")
        val reason = verdict.getJSONArray("reasons").getJSONObject(0)
        assertEquals("scope_no", reason.getString("kind"))
        assertEquals(deck["triage.unassessed"], phone.text(R.id.title))
        assertEquals(deck["verdict.rejected"], phone.text(R.id.verdict))
        assertEquals(deck["reason.scope_no", reason.getString("question")], phone.text(R.id.reasons))
        assertFalse(phone.shown(R.id.picture) || phone.shown(R.id.findings) || phone.shown(R.id.slip))
        assertEquals(deck["app.notice"], phone.text(R.id.notice))
        phone.back()
        assertEquals(Step.QUESTIONS, phone.capture.step)
    }

    @Test
    fun a_damaged_picture_is_said_to_be_one() {
        val half = FileInputStream(sample(KERATOSIS)).use { it.readBytes() }.let { it.copyOf(it.size / 2) }
        val phone = failed { ByteArrayInputStream(half) }
        assertEquals(deck["error.malformed_image"], phone.text(R.id.message))
        phone.tap(R.id.choose_again)
        assertEquals(Step.PICTURE, phone.capture.step)
    }

    @Test
    fun a_file_that_is_no_picture_is_said_to_be_one_that_can_not_be_read() {
        val phone = failed { ByteArrayInputStream("%PDF-1.7".toByteArray()) }
        assertEquals(deck["error.unsupported_image"], phone.text(R.id.message))
    }

    @Test
    fun a_picture_that_its_app_no_longer_gives_is_to_be_chosen_again() {
        val phone = failed { throw FileNotFoundException("gone") }
        assertEquals(deck["error.io"], phone.text(R.id.message))
    }

    @Test
    fun an_app_that_breaks_while_it_gives_the_picture_is_no_fault_of_this_one() {
        val phone = failed { throw IllegalStateException("the other app's fault") }
        assertEquals(deck["error.io"], phone.text(R.id.message))
    }

    @Test
    fun a_turned_screen_keeps_the_result() {
        val phone = looked(MELANOMA)
        val before = phone.activity.session.outcome
        phone.rotates()
        assertEquals(Step.RESULT, phone.capture.step)
        assertTrue(before === phone.activity.session.outcome)
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
    }

    @Test
    fun a_screen_turned_during_the_work_gets_the_result() {
        val open = CountDownLatch(1)
        val phone = Phone()
        phone.toSkinPicture()
        phone.picks(slow(KERATOSIS, open))
        phone.rotates()
        assertEquals(deck["work.title"], phone.text(R.id.title))
        open.countDown()
        phone.await(Step.RESULT)
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun the_end_of_the_process_loses_neither_answers_nor_result() {
        val phone = Phone()
        phone.chooses(R.id.skin)
        phone.tap(R.id.yes)
        phone.processDies()
        phone.await(Step.QUESTIONS) { phone.shown(R.id.questions) }
        phone.tap(R.id.next)
        phone.await(Step.PICTURE)
        phone.processDies()
        phone.looksAt(elsewhere(MELANOMA))
        val (before, outcome) = Pair(phone.texts().filterNot(::isTime), phone.activity.session.outcome)
        phone.processDies()
        phone.await(Step.RESULT) { phone.activity.session.outcome != null }
        assertEquals(before, phone.texts().filterNot(::isTime))
        // It was worked out again: nothing of the process that ended is left.
        assertTrue(outcome !== phone.activity.session.outcome)
    }

    @Test
    fun the_end_of_the_process_keeps_the_case_number() {
        val phone = looked(MELANOMA)
        phone.tap(R.id.slip)
        val case = phone.text(R.id.case_number)
        phone.processDies()
        phone.await(Step.SLIP) { phone.shown(R.id.page) }
        assertEquals(case, phone.text(R.id.case_number))
    }

    @Test
    fun the_camera_gives_the_picture() {
        val phone = Phone()
        phone.toSkinPicture()
        phone.tap(R.id.take)
        val asked = shadowOf(phone.activity).peekNextStartedActivityForResult().intent
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.action)
        assertTrue(asked.flags and Intent.FLAG_GRANT_WRITE_URI_PERMISSION != 0)
        val output = written(asked, sample(KERATOSIS))
        assertEquals(1, filesOfTheCapture().size)
        phone.returns(Activity.RESULT_OK)
        phone.await(Step.RESULT)
        assertEquals(output.toString(), phone.capture.picture)
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun the_camera_outlives_the_process() {
        val phone = Phone()
        phone.toSkinPicture()
        phone.tap(R.id.take)
        val asked = shadowOf(phone.activity).nextStartedActivityForResult.intent
        written(asked, sample(KERATOSIS))
        phone.processDies()
        shadowOf(phone.activity).callOnActivityResult(1, Activity.RESULT_OK, null)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun a_camera_that_is_left_leaves_nothing() {
        val phone = Phone()
        phone.toSkinPicture()
        phone.tap(R.id.take)
        written(shadowOf(phone.activity).peekNextStartedActivityForResult().intent, sample(KERATOSIS))
        phone.returns(Activity.RESULT_CANCELED)
        assertEquals(Step.PICTURE, phone.capture.step)
        assertEquals(emptyList<File>(), filesOfTheCapture())
    }

    @Test
    fun a_camera_that_writes_nothing_is_as_good_as_left() {
        val phone = Phone()
        phone.toSkinPicture()
        phone.tap(R.id.take)
        phone.returns(Activity.RESULT_OK)
        assertEquals(Step.PICTURE, phone.capture.step)
    }

    @Test
    fun a_phone_without_a_camera_says_so_and_takes_pictures_from_the_picker() {
        shadowOf(RuntimeEnvironment.getApplication()).checkActivities(true)
        val phone = Phone()
        phone.toSkinPicture()
        phone.tap(R.id.take)
        assertEquals(deck["picture.no_camera"], phone.text(R.id.message))
        assertNull(phone.capture.camera)
        phone.tap(R.id.choose)
        assertEquals(deck["picture.no_picker"], phone.text(R.id.message))
    }

    @Test
    fun a_shared_picture_is_looked_at_once_it_is_known_what_it_is_of() {
        val phone = Phone(share(elsewhere(MELANOMA)))
        assertEquals(deck["home.shared"], phone.text(R.id.shared))
        phone.toSkinPicture()
        phone.tap(R.id.use_shared)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
    }

    @Test
    fun a_share_that_comes_again_from_the_recent_apps_is_over() {
        val again = share(elsewhere(KERATOSIS)).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        assertFalse(Phone(again).shown(R.id.shared))
    }

    @Test
    fun a_share_without_an_address_is_none() {
        val odd = Intent(Intent.ACTION_SEND).setType("image/jpeg").putExtra(Intent.EXTRA_STREAM, Rect())
        assertFalse(Phone(odd).shown(R.id.shared))
    }

    @Test
    fun a_screen_reader_is_told_which_screen_came() {
        val phone = Phone()
        phone.chooses(R.id.skin)
        assertEquals(deck["questions.title"], phone.pane())
        assertEquals(deck["triage.urgent"], looked(MELANOMA).pane())
    }

    @Test
    fun a_picture_shared_during_a_capture_begins_another() {
        val phone = looked(KERATOSIS)
        phone.isSharedTo(elsewhere(MELANOMA))
        assertEquals(Step.HOME, phone.capture.step)
        assertEquals(deck["home.shared"], phone.text(R.id.shared))
    }

    @Test
    fun stopping_stops() {
        val open = CountDownLatch(1)
        val phone = Phone()
        phone.toSkinPicture()
        phone.picks(slow(KERATOSIS, open))
        assertEquals(deck["work.title"], phone.text(R.id.title))
        phone.tap(R.id.cancel)
        assertEquals(Step.PICTURE, phone.capture.step)
        open.countDown()
        repeat(100) {
            Thread.sleep(5)
            phone.idle()
        }
        assertEquals(Step.PICTURE, phone.capture.step)
        assertNull(phone.activity.session.outcome)
        phone.tap(R.id.use_same)
        phone.await(Step.RESULT)
    }

    @Test
    fun the_end_of_a_capture_leaves_no_picture_and_no_slip() {
        val phone = Phone()
        phone.toSkinPicture()
        phone.tap(R.id.take)
        written(shadowOf(phone.activity).peekNextStartedActivityForResult().intent, sample(KERATOSIS))
        phone.returns(Activity.RESULT_OK)
        phone.await(Step.RESULT)
        phone.tap(R.id.slip)
        phone.tap(R.id.share)
        assertEquals(setOf("jpg", "pdf"), filesOfTheCapture().map { it.extension }.toSet())
        phone.back()
        phone.tap(R.id.home)
        assertEquals(Step.HOME, phone.capture.step)
        assertEquals(emptyList<File>(), filesOfTheCapture())
    }

    @Test
    fun what_a_killed_process_left_is_deleted_at_the_next_start() {
        val folder = File(RuntimeEnvironment.getApplication().cacheDir, "capture").apply { mkdirs() }
        File(folder, "0-0.jpg").writeText("left")
        Phone()
        assertEquals(emptyList<File>(), filesOfTheCapture())
    }

    @Test
    fun another_picture_after_going_back_gets_a_result_of_its_own() {
        val phone = looked(KERATOSIS)
        phone.back()
        phone.looksAt(elsewhere(MELANOMA))
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
    }

    @Test
    fun another_picture_begins_with_the_questions() {
        val phone = looked(KERATOSIS)
        phone.tap(R.id.again)
        phone.await(Step.QUESTIONS) { phone.shown(R.id.questions) }
        assertEquals(emptyMap<String, String>(), phone.capture.answers)
        assertNull(phone.capture.picture)
    }

    private fun looked(name: String): Phone = Phone().apply {
        toSkinPicture()
        looksAt(elsewhere(name))
    }

    private fun failed(open: () -> InputStream): Phone = Phone().apply {
        toSkinPicture()
        picks(elsewhere("broken.jpg", open))
        await(Step.ERROR)
        shows(deck["error.title"])
    }

    private fun said(name: String, answer: String = "dermatoscope=yes"): JSONObject =
        command(sample(name), "skin-lesion", language, answer)

    private fun assertSameNumbers(said: JSONObject, phone: Phone) {
        val findings = said.findings(deck)
        assertEquals(3, findings.size)
        assertTexts(findings.flatMap { listOf(it.first, it.second) }, phone.texts())
        val model = said.getJSONObject("model")
        val name = "${model.getString("name")} ${model.getString("version")}"
        val runtime = said.getJSONObject("runtime").getString("version")
        val identity = deck["result.model", name, model.getString("graph_sha256").take(12), runtime]
        assertEquals(identity, phone.text(R.id.model))
        assertEquals(said.getString("summary"), phone.text(R.id.verdict))
        assertEquals(said.getString("notice"), phone.text(R.id.notice))
        assertTrue(phone.texts().any(::isTime))
    }

    private fun isTime(text: String): Boolean {
        val (before, after) = deck["result.time", "#"].split('#')
        return text.startsWith(before) && text.endsWith(after)
    }

    /** A picture of an app that takes its time: until it is let go on. */
    private fun slow(name: String, open: CountDownLatch): Uri = elsewhere("slow.jpg") {
        open.await()
        FileInputStream(sample(name))
    }

    /** The camera app writes where it was asked to. */
    private fun written(asked: Intent, picture: File): Uri {
        @Suppress("DEPRECATION")
        val output = asked.getParcelableExtra<Uri>(MediaStore.EXTRA_OUTPUT)
        assertNotNull(output)
        val resolver = RuntimeEnvironment.getApplication().contentResolver
        resolver.openFileDescriptor(output!!, "w")!!.use { descriptor ->
            FileOutputStream(descriptor.fileDescriptor).use { it.write(picture.readBytes()) }
        }
        return output
    }

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
