package dev.bedside.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Rect
import android.net.Uri
import android.provider.MediaStore
import java.io.ByteArrayInputStream
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.FileInputStream
import java.io.FileNotFoundException
import java.io.InputStream
import java.util.concurrent.CountDownLatch
import javax.imageio.ImageIO
import org.json.JSONObject
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

/** A picture whose verdict is Single and whose triage is Refer. */
private const val KERATOSIS = "ISIC_0012090.jpg"

/** A picture whose verdict is Several and whose triage is Urgent. */
private const val MELANOMA = "ISIC_0012086.jpg"

/** Captures with the skin model and the real library, in both languages. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi", shadows = [PdfStandIn::class])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class SkinTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun setLanguage() = RuntimeEnvironment.setQualifiers("+$language")

    @Test
    fun result_with_one_label_says_refer() {
        val phone = resultOf(KERATOSIS)
        val expected = commandReport(KERATOSIS)
        assertEquals("single", expected.getJSONObject("verdict").getString("kind"))
        assertEquals("refer", expected.getString("triage"))
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
        assertSameNumbers(expected, phone)
    }

    @Test
    fun result_with_several_labels_says_urgent() {
        val phone = resultOf(MELANOMA)
        val expected = commandReport(MELANOMA)
        assertEquals("several", expected.getJSONObject("verdict").getString("kind"))
        assertEquals("urgent", expected.getString("triage"))
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
        assertSameNumbers(expected, phone)
    }

    @Test
    fun result_has_picture_and_notice_and_no_numbers() {
        val phone = resultOf(KERATOSIS)
        assertTrue(phone.shown(R.id.picture))
        assertEquals(deck["app.notice"], phone.text(R.id.notice))
        assertFalse(phone.shown(R.id.because) || phone.shown(R.id.next) || phone.shown(R.id.retake))
        // The advice may name days and weeks.
        val texts = phone.texts() - phone.text(R.id.advice)
        assertEquals(emptyList<String>(), texts.filter { text -> text.any(Char::isDigit) || '%' in text })
    }

    @Test
    fun home_screen_has_its_texts() {
        val tasks = listOf("home.photo", "home.skin", "home.breast", "home.chest")
        val expected = (listOf("home.title") + tasks + "app.notice").map { deck[it] }
        assertTexts(expected, Phone().texts())
    }

    @Test
    fun picture_that_only_the_system_decodes_gets_the_result_of_its_pixels() {
        val pixels = ImageIO.read(sample(MELANOMA))
        val gif = ByteArrayOutputStream().also { assertTrue(ImageIO.write(pixels, "gif", it)) }.toByteArray()
        val png = File.createTempFile("pixels", ".png").apply { deleteOnExit() }
        ImageIO.write(ImageIO.read(ByteArrayInputStream(gif)), "png", png)
        val phone = Phone()
        phone.openSkinPicture()
        phone.classifyPicture(galleryAddress("picture.gif") { ByteArrayInputStream(gif) })
        assertSameNumbers(command(png, "skin-lesion", language, "dermatoscope=yes", "mole_like=yes"), phone)
    }

    @Test
    fun questions_equal_those_of_the_model() {
        val manifest = manifest("skin-lesion")
        val phone = Phone()
        phone.chooseTask(R.id.skin)
        // The danger signs come first.
        val questions = questions("skin-lesion", "danger") + questions("skin-lesion", "scope")
        assertEquals(7, questions.size)
        val expected = questions.map { it.getJSONObject("question").getString(language) }
        assertEquals(expected, phone.texts().filter { it in expected })
        phone.assertShows(manifest.getJSONObject("intended_use").getString(language))
        phone.assertShows(manifest.getJSONObject("not_for").getString(language))
        phone.tap(R.id.next)
        assertEquals(deck["questions.open"], phone.text(R.id.message))
        assertEquals(Step.QUESTIONS, phone.capture.step)
    }

    @Test
    fun answer_out_of_scope_gives_a_result_without_a_picture() {
        val phone = Phone()
        phone.chooseTask(R.id.skin)
        phone.answerWithoutDermatoscope()
        phone.tap(R.id.next)
        phone.await(Step.RESULT)
        val report = commandReport(KERATOSIS, "dermatoscope=no")
        val reason = report.getJSONObject("verdict").getJSONArray("reasons").getJSONObject(0)
        assertEquals("scope_no", reason.getString("kind"))
        assertEquals(deck["triage.unassessed"], phone.text(R.id.title))
        assertEquals(report.getString("advice"), phone.text(R.id.advice))
        assertEquals(report.getString("summary"), phone.text(R.id.verdict))
        assertEquals(reason.getString("message"), phone.text(R.id.reasons))
        assertEquals(deck["result.next"], phone.text(R.id.next))
        assertFalse(phone.shown(R.id.picture) || phone.shown(R.id.clinicians) || phone.shown(R.id.slip))
        // No button leads to other answers.
        assertFalse(phone.shown(R.id.again) || phone.shown(R.id.retake))
        assertEquals(deck["app.notice"], phone.text(R.id.notice))
        phone.back()
        assertEquals(Step.QUESTIONS, phone.capture.step)
    }

    @Test
    fun damaged_picture_is_a_malformed_image_error() {
        val half = FileInputStream(sample(KERATOSIS)).use { it.readBytes() }.let { it.copyOf(it.size / 2) }
        val phone = errorOf { ByteArrayInputStream(half) }
        assertEquals(deck["error.malformed_image"], phone.text(R.id.message))
        phone.tap(R.id.choose_again)
        assertEquals(Step.PICTURE, phone.capture.step)
    }

    @Test
    fun file_that_is_not_a_picture_is_an_unsupported_image_error() {
        val phone = errorOf { ByteArrayInputStream("%PDF-1.7".toByteArray()) }
        assertEquals(deck["error.unsupported_image"], phone.text(R.id.message))
    }

    @Test
    fun picture_that_its_app_does_not_give_is_an_io_error() {
        val phone = errorOf { throw FileNotFoundException("gone") }
        assertEquals(deck["error.io"], phone.text(R.id.message))
    }

    @Test
    fun picture_whose_app_throws_is_an_io_error() {
        val phone = errorOf { throw IllegalStateException("the other app's fault") }
        assertEquals(deck["error.io"], phone.text(R.id.message))
    }

    @Test
    fun rotation_keeps_the_result() {
        val phone = resultOf(MELANOMA)
        val before = phone.activity.session.outcome
        phone.rotate()
        assertEquals(Step.RESULT, phone.capture.step)
        assertTrue(before === phone.activity.session.outcome)
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
    }

    @Test
    fun rotation_during_classification_keeps_the_work() {
        val open = CountDownLatch(1)
        val phone = Phone()
        phone.openSkinPicture()
        phone.choosePicture(slow(KERATOSIS, open))
        phone.rotate()
        assertEquals(deck["work.title"], phone.text(R.id.title))
        open.countDown()
        phone.await(Step.RESULT)
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun answers_and_result_survive_the_end_of_the_process() {
        val phone = Phone()
        phone.chooseTask(R.id.skin)
        val (first, last) = questions("skin-lesion", "scope").map { it.getJSONObject("question").getString(language) }
        phone.answer(first, yes = true)
        phone.endProcess()
        phone.await(Step.QUESTIONS) { phone.shown(R.id.questions) }
        phone.answer(last, yes = true)
        phone.tap(R.id.next)
        phone.await(Step.PICTURE)
        phone.endProcess()
        phone.classifyPicture(galleryAddress(MELANOMA))
        val (before, outcome) = Pair(phone.texts(), phone.activity.session.outcome)
        phone.endProcess()
        phone.await(Step.RESULT) { phone.activity.session.outcome != null }
        assertEquals(before, phone.texts())
        // The new process computed the result again.
        assertTrue(outcome !== phone.activity.session.outcome)
    }

    @Test
    fun case_number_survives_the_end_of_the_process() {
        val phone = resultOf(MELANOMA)
        phone.tap(R.id.slip)
        val case = phone.text(R.id.case_number)
        phone.endProcess()
        phone.await(Step.SLIP) { phone.shown(R.id.page) }
        assertEquals(case, phone.text(R.id.case_number))
    }

    @Test
    fun camera_picture_is_classified() {
        val phone = Phone()
        phone.openSkinPicture()
        phone.tap(R.id.take)
        val asked = shadowOf(phone.activity).peekNextStartedActivityForResult().intent
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.action)
        assertTrue(asked.flags and Intent.FLAG_GRANT_WRITE_URI_PERMISSION != 0)
        val output = writePicture(asked, sample(KERATOSIS).readBytes())
        assertEquals(1, captureFiles().size)
        phone.returnResult(Activity.RESULT_OK)
        phone.await(Step.RESULT)
        assertEquals(output.toString(), phone.capture.picture)
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun camera_picture_survives_the_end_of_the_process() {
        val phone = Phone()
        phone.openSkinPicture()
        phone.tap(R.id.take)
        val asked = shadowOf(phone.activity).nextStartedActivityForResult.intent
        writePicture(asked, sample(KERATOSIS).readBytes())
        phone.endProcess()
        shadowOf(phone.activity).callOnActivityResult(1, Activity.RESULT_OK, null)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.refer"], phone.text(R.id.title))
    }

    @Test
    fun cancelled_camera_leaves_no_file() {
        val phone = Phone()
        phone.openSkinPicture()
        phone.tap(R.id.take)
        writePicture(shadowOf(phone.activity).peekNextStartedActivityForResult().intent, sample(KERATOSIS).readBytes())
        phone.returnResult(Activity.RESULT_CANCELED)
        assertEquals(Step.PICTURE, phone.capture.step)
        assertEquals(emptyList<File>(), captureFiles())
    }

    @Test
    fun camera_without_a_file_counts_as_cancelled() {
        val phone = Phone()
        phone.openSkinPicture()
        phone.tap(R.id.take)
        phone.returnResult(Activity.RESULT_OK)
        assertEquals(Step.PICTURE, phone.capture.step)
    }

    @Test
    fun missing_camera_and_picker_show_a_message() {
        shadowOf(RuntimeEnvironment.getApplication()).checkActivities(true)
        val phone = Phone()
        phone.openSkinPicture()
        phone.tap(R.id.take)
        assertEquals(deck["picture.no_camera"], phone.text(R.id.message))
        assertNull(phone.capture.camera)
        phone.tap(R.id.choose)
        assertEquals(deck["picture.no_picker"], phone.text(R.id.message))
    }

    @Test
    fun shared_picture_is_classified_after_the_questions() {
        val phone = Phone(share(galleryAddress(MELANOMA)))
        assertEquals(deck["home.shared"], phone.text(R.id.shared))
        phone.openSkinPicture()
        phone.tap(R.id.use_shared)
        phone.await(Step.RESULT)
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
    }

    @Test
    fun share_from_the_recent_apps_is_ignored() {
        val again = share(galleryAddress(KERATOSIS)).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY)
        assertFalse(Phone(again).shown(R.id.shared))
    }

    @Test
    fun share_without_an_address_is_ignored() {
        val odd = Intent(Intent.ACTION_SEND).setType("image/jpeg").putExtra(Intent.EXTRA_STREAM, Rect())
        assertFalse(Phone(odd).shown(R.id.shared))
    }

    @Test
    fun screen_reader_is_told_the_new_screen() {
        val phone = Phone()
        phone.chooseTask(R.id.skin)
        assertEquals(deck["questions.title"], phone.pane())
        assertEquals(deck["triage.urgent"], resultOf(MELANOMA).pane())
    }

    @Test
    fun picture_shared_during_a_capture_begins_another() {
        val phone = resultOf(KERATOSIS)
        phone.sharePicture(galleryAddress(MELANOMA))
        assertEquals(Step.HOME, phone.capture.step)
        assertEquals(deck["home.shared"], phone.text(R.id.shared))
    }

    @Test
    fun cancel_ends_the_classification() {
        val open = CountDownLatch(1)
        val phone = Phone()
        phone.openSkinPicture()
        phone.choosePicture(slow(KERATOSIS, open))
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
    fun finished_capture_leaves_no_files() {
        val phone = Phone()
        phone.openSkinPicture()
        phone.tap(R.id.take)
        writePicture(shadowOf(phone.activity).peekNextStartedActivityForResult().intent, sample(KERATOSIS).readBytes())
        phone.returnResult(Activity.RESULT_OK)
        phone.await(Step.RESULT)
        phone.tap(R.id.slip)
        phone.tap(R.id.share)
        assertEquals(setOf("jpg", "pdf"), captureFiles().map { it.extension }.toSet())
        phone.back()
        phone.tap(R.id.home)
        assertEquals(Step.HOME, phone.capture.step)
        assertEquals(emptyList<File>(), captureFiles())
    }

    @Test
    fun files_of_a_killed_process_are_deleted_at_the_next_start() {
        val folder = File(RuntimeEnvironment.getApplication().cacheDir, "capture").apply { mkdirs() }
        File(folder, "0-0.jpg").writeText("left")
        Phone()
        assertEquals(emptyList<File>(), captureFiles())
    }

    @Test
    fun picture_chosen_after_going_back_gets_its_own_result() {
        val phone = resultOf(KERATOSIS)
        phone.back()
        phone.classifyPicture(galleryAddress(MELANOMA))
        assertEquals(deck["triage.urgent"], phone.text(R.id.title))
    }

    @Test
    fun again_begins_with_the_questions() {
        val phone = resultOf(KERATOSIS)
        phone.tap(R.id.again)
        phone.await(Step.QUESTIONS) { phone.shown(R.id.questions) }
        assertEquals(emptyMap<String, String>(), phone.capture.answers)
        assertNull(phone.capture.picture)
    }

    private fun resultOf(name: String): Phone = Phone().apply {
        openSkinPicture()
        classifyPicture(galleryAddress(name))
    }

    private fun errorOf(open: () -> InputStream): Phone = Phone().apply {
        openSkinPicture()
        choosePicture(galleryAddress("broken.jpg", open))
        await(Step.ERROR)
        assertShows(deck["error.title"])
    }

    private fun commandReport(name: String, answer: String = "dermatoscope=yes"): JSONObject =
        command(sample(name), "skin-lesion", language, answer, "mole_like=yes")

    private fun assertSameNumbers(expected: JSONObject, phone: Phone) {
        assertEquals(expected.getString("summary"), phone.text(R.id.verdict))
        assertEquals(expected.getString("advice"), phone.text(R.id.advice))
        assertEquals(expected.getString("notice"), phone.text(R.id.notice))
        phone.tap(R.id.clinicians)
        val findings = expected.findings(deck)
        assertEquals(3, findings.size)
        assertTexts(findings.flatMap { listOf(it.first, it.second) }, phone.texts())
        val model = expected.getJSONObject("model")
        val name = "${model.getString("name")} ${model.getString("version")}"
        val runtime = expected.getJSONObject("runtime").getString("version")
        val identity = deck["result.model", name, model.getString("graph_sha256").take(12), runtime]
        assertEquals(identity, phone.text(R.id.model))
        assertEquals(expected.getString("notice"), phone.text(R.id.notice))
        assertTrue(phone.texts().any(::isTime))
    }

    private fun isTime(text: String): Boolean {
        val (before, after) = deck["result.time", "#"].split('#')
        return text.startsWith(before) && text.endsWith(after)
    }

    /** A picture of an app that gives it only when the latch is open. */
    private fun slow(name: String, open: CountDownLatch): Uri = galleryAddress("slow.jpg") {
        open.await()
        FileInputStream(sample(name))
    }

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
