package dev.bedside.demo

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Color
import android.view.KeyEvent
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import org.json.JSONObject
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Captures with the model for photos of the skin, from its questions over the circle to its result. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class PhotoTest(private val language: String) {
    private val deck = Deck(language)

    @Before
    fun setLanguage() {
        RuntimeEnvironment.setQualifiers("+$language")
    }

    @Test
    fun photo_questions_are_all_asked_and_one_no_is_out_of_scope() {
        val scope = questions("skin-photo", "scope").map { it.getJSONObject("question").getString(language) }
        assertEquals(5, scope.size)
        for (out in scope) {
            val phone = Phone()
            phone.chooseTask(R.id.photo)
            scope.forEach { phone.assertShows(it) }
            scope.forEach { phone.answer(it, yes = it != out) }
            phone.tap(R.id.next)
            phone.await(Step.RESULT)
            assertEquals(deck["triage.unassessed"], phone.text(R.id.title))
            assertEquals(deck["reason.scope_no", out], phone.text(R.id.reasons))
            phone.close()
        }
    }

    @Test
    fun photo_screen_shows_how_a_picture_should_be() {
        val phone = Phone()
        phone.openPhotoPicture()
        val words = listOf("picture.hint_photo", "picture.guide_so", "picture.guide_blurred", "picture.guide_far")
        (words + "picture.guide_source").forEach { phone.assertShows(deck[it]) }
        assertTrue(phone.shown(R.id.take))
    }

    @Test
    fun photo_result_equals_the_commands_for_each_sample() {
        val samples = samples("skin-photo")
        assertEquals(6, samples.size)
        for (sample in samples) {
            val phone = Phone()
            phone.openPhotoPicture()
            phone.choosePicture(galleryAddress(sample))
            phone.await(Step.CROP) { phone.shown(R.id.look) }
            phone.tap(R.id.look)
            phone.await(Step.RESULT)
            // The samples are square, so that the first square is the whole picture.
            assertEquals(Part(0.0, 0.0, 1.0, 1.0), phone.capture.part)
            phone.assertSame(report(sample))
            // This model never says that there is no sign.
            assertNotEquals(deck["triage.no_sign"], phone.text(R.id.title))
            phone.close()
        }
    }

    @Test
    fun photo_is_looked_at_within_the_square_alone() {
        val phone = Phone()
        phone.openPhotoPicture()
        phone.choosePicture(galleryAddress(SAMPLE))
        phone.await(Step.CROP) { phone.shown(R.id.look) }
        phone.tap(R.id.closer)
        phone.press(KeyEvent.KEYCODE_DPAD_LEFT, KeyEvent.KEYCODE_DPAD_UP)
        phone.tap(R.id.look)
        phone.await(Step.RESULT)
        // 1/1.25 of the side; from the middle, a twentieth of that to the left and up.
        val part = checkNotNull(phone.capture.part)
        listOf(0.06 to part.left, 0.06 to part.top, 0.8 to part.width, 0.8 to part.height)
            .forEach { (expected, found) -> assertEquals(expected, found, 1e-9) }
        val region = part.run { "$left,$top,$width,$height" }
        phone.assertSame(report(SAMPLE, "--region", region))
        val findings = { report: JSONObject -> report.getJSONArray("findings").toString() }
        assertNotEquals(findings(report(SAMPLE)), findings(report(SAMPLE, "--region", region)))
    }

    @Test
    fun square_survives_a_turn_of_the_screen_and_the_part_the_end_of_the_process() {
        val phone = Phone()
        phone.openPhotoPicture()
        phone.choosePicture(galleryAddress(SAMPLE))
        phone.await(Step.CROP) { phone.shown(R.id.look) }
        phone.tap(R.id.closer)
        phone.rotate()
        phone.await(Step.CROP) { phone.shown(R.id.look) }
        assertEquals(1 / 1.25, phone.activity.session.crop.side, 1e-12)
        phone.tap(R.id.look)
        phone.await(Step.RESULT)
        val part = phone.capture.part
        phone.endProcess()
        phone.await(Step.RESULT) { phone.shown(R.id.band) }
        assertEquals(part, phone.capture.part)
    }

    @Test
    fun file_that_is_no_picture_is_an_error_without_a_crop() {
        val phone = Phone()
        phone.openPhotoPicture()
        phone.choosePicture(galleryAddress("broken.jpg") { "%PDF".byteInputStream() })
        phone.await(Step.ERROR)
        assertNull(phone.capture.part)
        assertFalse(phone.shown(R.id.look))
    }

    @Test
    fun part_is_chosen_of_a_picture_that_the_library_alone_can_read() {
        val picture = File.createTempFile("photo", ".tif")
        picture.writeBytes(tiff(BitmapFactory.decodeFile(sample(SAMPLE).path)))
        // Android has no decoder for TIFF, and the library has one.
        assertNull(BitmapFactory.decodeFile(picture.path))
        val phone = Phone()
        phone.openPhotoPicture()
        phone.choosePicture(galleryAddress(picture.name) { picture.inputStream() })
        phone.await(Step.CROP) { phone.shown(R.id.look) }
        phone.tap(R.id.look)
        phone.await(Step.RESULT) { phone.shown(R.id.picture) }
        val part = checkNotNull(phone.capture.part)
        val region = listOf(part.left, part.top, part.width, part.height).joinToString(",")
        phone.assertSame(report(picture, "--region", region))
        picture.delete()
    }

    /** A picture as an uncompressed TIFF file (TIFF 6.0, section 2): one strip of red, green and blue. */
    private fun tiff(picture: Bitmap): ByteArray {
        val (width, height) = picture.width to picture.height
        val colors = IntArray(width * height).also { picture.getPixels(it, 0, width, 0, 0, width, height) }
        val (short, long) = 3 to 4
        // The head, 9 fields, the end of the directory, and the bits of three samples.
        val (directory, bits) = 8 to 8 + 2 + 9 * 12 + 4
        val strip = bits + 6
        val fields = listOf(
            Field(256, long, 1, width), Field(257, long, 1, height), Field(258, short, 3, bits), Field(259, short, 1, 1),
            Field(262, short, 1, 2), Field(273, long, 1, strip), Field(277, short, 1, 3), Field(278, long, 1, height),
            Field(279, long, 1, 3 * width * height),
        )
        val file = ByteBuffer.allocate(strip + 3 * width * height).order(ByteOrder.LITTLE_ENDIAN)
        file.put("II".toByteArray()).putShort(42).putInt(directory).putShort(fields.size.toShort())
        for (field in fields) {
            file.putShort(field.tag.toShort()).putShort(field.type.toShort()).putInt(field.count).putInt(field.value)
        }
        file.putInt(0)
        repeat(3) { file.putShort(8) }
        colors.forEach { file.put(Color.red(it).toByte()).put(Color.green(it).toByte()).put(Color.blue(it).toByte()) }
        return file.array()
    }

    private class Field(val tag: Int, val type: Int, val count: Int, val value: Int)

    private fun report(sample: String, vararg options: String): JSONObject = report(sample(sample), *options)

    private fun report(picture: File, vararg options: String): JSONObject {
        val answers = questions("skin-photo", "scope").flatMap { listOf("--answer", "${it.getString("id")}=yes") }
        return command(picture, "skin-photo", language, listOf("--source", "file") + answers + options)
    }

    private fun Phone.assertSame(expected: JSONObject) {
        assertEquals(deck["triage.${expected.getString("triage")}"], text(R.id.title))
        assertEquals(expected.getString("summary"), text(R.id.verdict))
        assertEquals(expected.getString("advice"), text(R.id.advice))
    }

    companion object {
        private const val SAMPLE = "PAT_115_1138_870.jpg"

        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
