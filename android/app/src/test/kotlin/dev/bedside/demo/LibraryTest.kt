package dev.bedside.demo

import android.graphics.BitmapFactory
import android.net.Uri
import dev.bedside.Answer
import dev.bedside.BedsideException
import dev.bedside.Classifier
import dev.bedside.Image
import dev.bedside.Limits
import dev.bedside.Options
import dev.bedside.Query
import dev.bedside.fromAsset
import dev.bedside.fromBitmap
import dev.bedside.fromUri
import dev.bedside.jni.Android
import dev.bedside.jni.ErrorKind
import java.io.File
import java.io.InputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

private const val MODEL = "skin-lesion/model.prepared"
private const val PICTURE = "ISIC_0012086.jpg"

/** Classifiers from assets and images from content addresses and bitmaps, in Kotlin and in Java. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [24, 35])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class LibraryTest {
    private val application = RuntimeEnvironment.getApplication()
    private val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
    private val opened by lazy { Classifier.open(File(root, "models/skin-lesion/model.onnx").path) }

    @Test
    fun classifier_from_asset_has_the_models_identity() {
        assertEquals(opened.identity(), Classifier.fromAsset(application.assets, MODEL).identity())
        val java = Android.classifierFromAsset(application.assets, MODEL)
        assertEquals(opened.identity().graphSha256, java.identity().graphSha256)
    }

    @Test
    fun classifier_from_missing_asset_is_an_io_error() {
        assertThrows(BedsideException.Io::class.java) { Classifier.fromAsset(application.assets, "none.onnx") }
        val java = assertThrows(dev.bedside.jni.BedsideException::class.java) {
            Android.classifierFromAsset(application.assets, "none.onnx")
        }
        assertEquals(ErrorKind.IO, java.kind)
    }

    @Test
    fun classifier_from_asset_over_the_limit_is_too_large() {
        val small = Options(limits = Limits(maxModelBytes = 1000uL))
        assertThrows(BedsideException.TooLarge::class.java) { Classifier.fromAsset(application.assets, MODEL, small) }
    }

    @Test
    fun image_from_uri_gives_the_files_findings() {
        val report = opened.classify(Image.open(sample(PICTURE).path), query)
        val address = galleryAddress(PICTURE)
        val kotlin = opened.classify(Image.fromUri(application.contentResolver, address), query)
        assertEquals(report.findings, kotlin.findings)
        Android.classifierFromAsset(application.assets, MODEL).use { classifier ->
            val asked = dev.bedside.jni.Query.builder()
                .answer("dermatoscope", dev.bedside.jni.Answer.YES)
                .answer("mole_like", dev.bedside.jni.Answer.YES)
                .build()
            val java = classifier.classify(Android.imageFromUri(application.contentResolver, address), asked)
            assertEquals(report.findings.map { it.probability }, java.findings.map { it.probability })
        }
    }

    @Test
    fun image_from_bitmap_gives_the_pngs_scores() {
        val bitmap = BitmapFactory.decodeFile(sample(PICTURE).path)
        val png = java.io.ByteArrayOutputStream()
        bitmap.compress(android.graphics.Bitmap.CompressFormat.PNG, 100, png)
        val expected = opened.scores(Image.fromBytes(png.toByteArray()))
        assertEquals(expected, opened.scores(Image.fromBitmap(bitmap)))
    }

    @Test
    fun image_from_failing_provider_is_an_io_error_without_the_files_name() {
        val address = galleryAddress("Anna Example.jpg") { throw SecurityException("no grant for Anna Example.jpg") }
        val kotlin = assertThrows(BedsideException.Io::class.java) {
            Image.fromUri(application.contentResolver, address)
        }
        val java = assertThrows(dev.bedside.jni.BedsideException::class.java) {
            Android.imageFromUri(application.contentResolver, address)
        }
        assertEquals(ErrorKind.IO, java.kind)
        listOf(kotlin.message, java.message).forEach { assertTrue(it, "Anna" !in it!! && "org.example.gallery" in it) }
    }

    @Test
    fun image_from_endless_stream_is_too_large() {
        val endless = galleryAddress("endless.jpg") { Endless() }
        assertThrows(BedsideException.TooLarge::class.java) { Image.fromUri(application.contentResolver, endless) }
        val java = assertThrows(dev.bedside.jni.BedsideException::class.java) {
            Android.imageFromUri(application.contentResolver, endless)
        }
        assertEquals(ErrorKind.TOO_LARGE, java.kind)
    }

    @Test
    fun capture_files_refuse_addresses_outside_of_their_folder() {
        File(application.cacheDir, "secret.jpg").writeText("secret")
        val files = CaptureFiles(application)
        val inside = files.newPicture()
        listOf("../secret.jpg", "..%2Fsecret.jpg", "%2e%2e%2fsecret.jpg", ".jpg").forEach { name ->
            val address = Uri.parse("content://${inside.authority}/$name")
            val file = files.file(address)
            assertTrue("$name leads to $file", file == null || !file.exists())
        }
    }
}

/** A stream that declares no bytes and never ends. */
private class Endless : InputStream() {
    override fun read(): Int = 0

    override fun read(bytes: ByteArray, from: Int, count: Int): Int = count
}
