package dev.bedside.demo

import android.graphics.Bitmap
import java.io.File
import java.util.TimeZone
import org.junit.Assert.assertTrue
import org.junit.Assume.assumeTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The width of a picture, in pixels. */
private const val WIDTH = 400

/** Draws each screen to a PNG in the folder that `bedside.screenshots` names. Each run gives the same bytes. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreenshotsTest(private val language: String, private val night: String, private val font: Float) {
    @Test
    fun screens_are_drawn_to_files() {
        val folder = System.getProperty("bedside.screenshots")
        assumeTrue("no folder for them", folder != null)
        RuntimeEnvironment.setQualifiers("+$language-$night")
        RuntimeEnvironment.setFontScale(font)
        // The slip has the time of day.
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        val light = if (night == "night") "dark" else "light"
        for ((name, open) in tour) {
            val phone = open()
            phone.setTime("84", language)
            val small = small(drawn(phone.activity.window.decorView))
            assertTrue("$name is empty", small.getPixel(0, 0) != 0)
            save(small, File(folder, "$name-$language-$light-$font.png"))
            phone.close()
        }
    }

    private fun small(screen: Bitmap): Bitmap =
        Bitmap.createScaledBitmap(screen, WIDTH, screen.height * WIDTH / screen.width, true)

    private fun save(picture: Bitmap, file: File) {
        file.parentFile?.mkdirs()
        file.writeBytes(indexedPng(picture))
    }

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}-{1}-{2}")
        fun parameters(): List<Array<Any>> = configurations
    }
}
