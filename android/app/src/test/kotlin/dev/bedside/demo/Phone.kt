package dev.bedside.demo

import android.app.Activity
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.Looper
import android.os.Parcel
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.io.File
import java.io.FileInputStream
import java.io.InputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** A person with the phone in hand. */
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

    /** All texts on the screen, from the top down. */
    fun texts(): List<String> = texts(activity.window.decorView)

    private fun texts(view: View): List<String> = when {
        view.visibility != View.VISIBLE -> emptyList()
        view is ViewGroup -> (0 until view.childCount).flatMap { texts(view.getChildAt(it)) }
        view is TextView -> listOf(view.text.toString())
        else -> emptyList()
    }

    fun shows(text: String) = assertTrue("“$text” is not among ${texts()}", text in texts())

    /** What a screen reader is told of the screen that is shown. */
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

    fun back() {
        activity.back()
        idle()
    }

    /** Waits until the screen of a step is drawn. */
    fun await(step: Step, done: () -> Boolean = { true }) {
        val end = System.nanoTime() + 180_000_000_000L
        while (!(capture.step == step && done())) {
            check(System.nanoTime() < end) { "still at ${capture.step}, with ${texts()}" }
            Thread.sleep(5)
            idle()
        }
        idle()
    }

    fun chooses(task: Int) {
        tap(task)
        await(Step.QUESTIONS) { shown(R.id.questions) }
    }

    /** Skin: to the screen where a picture is chosen. */
    fun toSkinPicture() {
        chooses(R.id.skin)
        tap(R.id.yes)
        tap(R.id.next)
        await(Step.PICTURE)
    }

    /** Takes a picture from the picker. */
    fun picks(address: Uri) {
        tap(R.id.choose)
        returns(Activity.RESULT_OK, Intent().setData(address))
    }

    fun looksAt(address: Uri) {
        picks(address)
        await(Step.RESULT)
    }

    /** The app that was opened for a result gives one. */
    fun returns(result: Int, data: Intent? = null): Intent {
        val asked = shadowOf(activity).nextStartedActivityForResult.intent
        shadowOf(activity).receiveResult(asked, result, data)
        idle()
        return asked
    }

    fun rotates() {
        RuntimeEnvironment.setQualifiers("+land")
        controller.recreate()
        idle()
    }

    /** The system ends the process, and the person comes back to the app. */
    fun processDies() {
        val state = Bundle()
        controller.pause().saveInstanceState(state).stop().destroy()
        controller = Robolectric.buildActivity(MainActivity::class.java).setup(parcelled(state))
        idle()
    }

    fun isSharedTo(address: Uri) {
        controller.newIntent(share(address))
        idle()
    }

    fun leaves() {
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

/** A picture that another app has. */
fun elsewhere(name: String): Uri = elsewhere(name) { FileInputStream(sample(name)) }

fun elsewhere(name: String, open: () -> InputStream): Uri {
    val address = Uri.parse("content://org.example.gallery/$name")
    shadowOf(RuntimeEnvironment.getApplication().contentResolver).registerInputStreamSupplier(address, open)
    return address
}

/** What the app has on the phone at this moment. */
fun filesOfTheCapture(): List<File> =
    File(RuntimeEnvironment.getApplication().cacheDir, "capture").listFiles()?.toList() ?: emptyList()

fun assertTexts(expected: List<String>, texts: List<String>) {
    val there = expected.filter { it in texts }
    assertEquals(expected, there)
}
