package dev.bedside.demo

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Color
import android.net.Uri
import android.os.Bundle
import android.os.Looper
import android.os.Parcel
import android.provider.MediaStore
import android.view.KeyEvent
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.FileInputStream
import java.io.FileOutputStream
import java.io.InputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** The app as a person uses it, on the JVM. */
class Phone(intent: Intent? = null) {
    private var controller: ActivityController<MainActivity> =
        Robolectric.buildActivity(MainActivity::class.java, intent).setup()

    val activity: MainActivity
        get() = controller.get()!!

    val capture: Capture
        get() = activity.session.capture

    init {
        idle()
    }

    fun view(id: Int): View = checkNotNull(activity.findViewById<View>(id)) { "no such view on ${capture.step}" }

    fun text(id: Int): String = (view(id) as TextView).also { assertTrue(it.isShown) }.text.toString()

    /** All visible texts of the screen, from the top down. */
    fun texts(): List<String> = texts(activity.window.decorView)

    private fun texts(view: View): List<String> = when {
        view.visibility != View.VISIBLE -> emptyList()
        view is ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        view is TextView -> listOf(view.text.toString())
        else -> emptyList()
    }

    fun assertShows(text: String) = assertTrue("“$text” is not among ${texts()}", text in texts())

    /** The title by which a screen reader announces the screen. */
    fun pane(): String = activity.root.getChildAt(0).accessibilityPaneTitle.toString()

    fun shown(id: Int): Boolean = activity.findViewById<View>(id)?.isShown == true

    fun tap(id: Int) {
        val view = view(id)
        assertTrue("can't be tapped", view.isShown && view.isEnabled)
        view.performClick()
        idle()
    }

    fun type(field: TextView, text: String) {
        field.text = text
        idle()
    }

    /** Taps the danger sign of this question. */
    fun tapSign(question: String) {
        val signs = view(R.id.signs) as ViewGroup
        (0 until signs.childCount).map(signs::getChildAt).first { (it as TextView).text == question }.performClick()
        idle()
    }

    fun back() {
        activity.back()
        idle()
    }

    /** Waits until the capture is at a step and `done` is true. Fails after three minutes. */
    fun await(step: Step, done: () -> Boolean = { true }) {
        val end = System.nanoTime() + 180_000_000_000L
        while (!(capture.step == step && done())) {
            check(System.nanoTime() < end) { "still at ${capture.step}, with ${texts()}" }
            Thread.sleep(5)
            idle()
        }
        idle()
    }

    fun chooseTask(task: Int) {
        tap(task)
        await(Step.QUESTIONS) { shown(R.id.questions) }
    }

    /** Answers a question of the screen with yes or no. */
    fun answer(question: String, yes: Boolean) {
        val list = view(R.id.questions) as ViewGroup
        val asked = (0 until list.childCount).map(list::getChildAt)
            .first { it.findViewById<TextView>(R.id.question).text == question }
        asked.findViewById<View>(if (yes) R.id.yes else R.id.no).performClick()
        idle()
    }

    /** Presses keys on the window of the crop. */
    fun press(vararg codes: Int) {
        val window = view(R.id.window)
        codes.forEach { window.onKeyDown(it, KeyEvent(KeyEvent.ACTION_DOWN, it)) }
        idle()
    }

    /** Goes to the screen on which a picture is chosen for a task whose questions are all answered with yes. */
    fun openPicture(task: Int, model: String, language: String, vararg signs: String) {
        chooseTask(task)
        signs.forEach(::tapSign)
        questions(model, "scope").forEach { answer(it.getJSONObject("question").getString(language), yes = true) }
        tap(R.id.next)
        await(Step.PICTURE)
    }

    fun openPhotoPicture(vararg signs: String) = openPicture(R.id.photo, "skin-photo", appLanguage(), *signs)

    fun openBreastPicture(vararg signs: String) = openPicture(R.id.breast, "breast-ultrasound", appLanguage(), *signs)

    /** Goes to the screen on which a picture of the skin is chosen, and states danger signs. */
    fun openSkinPicture(vararg signs: String) = openPicture(R.id.skin, "skin-lesion", appLanguage(), *signs)

    /** Answers that a mole-like spot was pictured without a dermatoscope. */
    fun answerWithoutDermatoscope() {
        questions("skin-lesion", "scope").forEach { question ->
            val text = question.getJSONObject("question").getString(appLanguage())
            answer(text, yes = question.getString("id") != "dermatoscope")
        }
    }

    /** Chooses a picture in the picker. */
    fun choosePicture(address: Uri) {
        tap(R.id.choose)
        returnResult(Activity.RESULT_OK, Intent().setData(address))
    }

    fun classifyPicture(address: Uri) {
        choosePicture(address)
        await(Step.RESULT)
    }

    /** Takes a picture with the camera app, which writes these bytes. Returns its address. */
    fun takePicture(bytes: ByteArray): Uri {
        tap(R.id.take)
        val address = writePicture(shadowOf(activity).peekNextStartedActivityForResult().intent, bytes)
        returnResult(Activity.RESULT_OK)
        return address
    }

    /** Returns a result from the app that was opened for one. */
    fun returnResult(result: Int, data: Intent? = null): Intent {
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        shadowOf(activity).receiveResult(asked, result, data)
        idle()
        return asked
    }

    fun rotate() {
        RuntimeEnvironment.setQualifiers("+land")
        controller.recreate()
        idle()
    }

    /** Ends the process as the system does, and opens the app again. */
    fun endProcess() {
        val state = Bundle()
        controller.pause().saveInstanceState(state).stop().destroy()
        controller = Robolectric.buildActivity(MainActivity::class.java).setup(parcelled(state))
        idle()
    }

    fun sharePicture(address: Uri) {
        controller.newIntent(share(address))
        idle()
    }

    fun close() {
        controller.pause().stop().destroy()
    }

    fun idle() = shadowOf(Looper.getMainLooper()).idle()

    private fun parcelled(state: Bundle): Bundle {
        val parcel = Parcel.obtain()
        parcel.writeBundle(state)
        val bytes = parcel.marshall()
        parcel.recycle()
        val other = Parcel.obtain()
        other.unmarshall(bytes, 0, bytes.size)
        other.setDataPosition(0)
        return checkNotNull(other.readBundle(Phone::class.java.classLoader)).also { other.recycle() }
    }
}

fun share(address: Uri): Intent =
    Intent(Intent.ACTION_SEND).setType("image/jpeg").putExtra(Intent.EXTRA_STREAM, address)

/** The address of a picture of another app. */
fun galleryAddress(name: String): Uri = galleryAddress(name) { FileInputStream(sample(name)) }

fun galleryAddress(name: String, open: () -> InputStream): Uri {
    val address = Uri.parse("content://org.example.gallery/$name")
    shadowOf(RuntimeEnvironment.getApplication().contentResolver).registerInputStreamSupplier(address, open)
    return address
}

/** Writes a picture to the address that the intent gives, as the camera app does. */
fun writePicture(asked: Intent, bytes: ByteArray): Uri {
    @Suppress("DEPRECATION")
    val output = checkNotNull(asked.getParcelableExtra<Uri>(MediaStore.EXTRA_OUTPUT))
    val resolver = RuntimeEnvironment.getApplication().contentResolver
    resolver.openFileDescriptor(output, "w")!!.use { descriptor ->
        FileOutputStream(descriptor.fileDescriptor).use { it.write(bytes) }
    }
    return output
}

/** A picture that is grey and nothing else, so that each model refuses it. */
fun grayPicture(): ByteArray = ByteArrayOutputStream().also { png ->
    val bitmap = Bitmap.createBitmap(600, 600, Bitmap.Config.ARGB_8888).apply { eraseColor(Color.GRAY) }
    bitmap.compress(Bitmap.CompressFormat.PNG, 100, png)
}.toByteArray()

/** The files that the app has now. */
fun captureFiles(): List<File> =
    File(RuntimeEnvironment.getApplication().cacheDir, "capture").listFiles()?.toList() ?: emptyList()

fun assertTexts(expected: List<String>, texts: List<String>) {
    val there = expected.filter { it in texts }
    assertEquals(expected, there)
}
