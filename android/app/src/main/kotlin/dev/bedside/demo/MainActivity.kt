package dev.bedside.demo

import android.annotation.SuppressLint
import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.os.Parcelable
import android.provider.MediaStore
import android.view.View
import android.view.ViewGroup
import android.view.WindowInsets
import android.view.WindowManager
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher

private const val TAKE = 1
private const val CHOOSE = 2

/** The type of a picture of an archive or a scanner (PS3.18). */
private const val DICOM = "application/dicom"

/** The only activity. It draws the screen of the session, and opens the camera app and the picker. */
class MainActivity : Activity() {
    lateinit var session: Session
        private set
    lateinit var files: CaptureFiles
        private set
    lateinit var root: ViewGroup
        private set
    private var shown: Step? = null
    private var screen: Screen? = null
    private var backCallback: OnBackInvokedCallback? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        // A patient's picture must not appear in the list of recent apps, nor by a screenshot in a gallery that is
        // copied to a network. The slip is the way to pass on a result.
        window.setFlags(WindowManager.LayoutParams.FLAG_SECURE, WindowManager.LayoutParams.FLAG_SECURE)
        setContentView(R.layout.main)
        root = findViewById(R.id.root)
        keepClearOfBars(root)
        files = CaptureFiles(this)
        session = session(state)
        session.onChange = ::draw
        draw()
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        sharedPicture(intent)?.let { session.move(session.capture.shared(it)) }
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        session.capture.save(state)
    }

    override fun onRetainNonConfigurationInstance(): Any = session

    override fun onDestroy() {
        session.onChange = {}
        if (!isChangingConfigurations) session.close()
        if (isFinishing) files.keepOnly(Capture())
        super.onDestroy()
    }

    /** The session from before a configuration change; else a new one that continues the saved capture. */
    private fun session(state: Bundle?): Session {
        val language = getString(R.string.language)
        val kept = lastNonConfigurationInstance as Session?
        if (kept?.language == language) return kept
        kept?.close()
        val capture = kept?.capture?.restored() ?: state?.let(::savedCapture)?.restored() ?: fresh()
        val models = (application as DemoApplication).models
        return Session(models, contentResolver, language, capture).also { it.proceed() }
    }

    /**
     * The capture of a new start. An app that is opened from the recent apps gets the old share again, which is
     * ignored.
     */
    private fun fresh(): Capture {
        val old = intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        return (if (old) null else sharedPicture(intent))?.let { Capture().shared(it) } ?: Capture()
    }

    private fun draw() {
        val capture = session.capture
        files.keepOnly(capture)
        val next = shown(capture)
        val moved = next != shown
        // The first screen is not announced, because a screen reader begins to read it by itself.
        val first = screen == null
        if (moved) {
            screen = replace(screen, screen(next))
            shown = next
        }
        screen?.draw()
        if (moved && !first) screen?.announce()
        listenToBack(capture.back() != null)
    }

    /** The step that is drawn: WORK while a restored result is computed again, else the step of the capture. */
    private fun shown(capture: Capture): Step {
        val awaited = capture.step in setOf(Step.RESULT, Step.CLINICIANS, Step.SLIP)
        return if (awaited && session.outcome == null) Step.WORK else capture.step
    }

    private fun screen(step: Step): Screen = when (step) {
        Step.HOME -> HomeScreen(this)
        Step.QUESTIONS -> QuestionsScreen(this)
        Step.PICTURE -> PictureScreen(this)
        Step.CROP -> CropScreen(this)
        Step.WORK -> WorkScreen(this)
        Step.RESULT -> ResultScreen(this)
        Step.CLINICIANS -> CliniciansScreen(this)
        Step.SLIP -> SlipScreen(this)
        Step.ERROR -> ErrorScreen(this)
    }

    private fun replace(old: Screen?, new: Screen): Screen {
        old?.let { root.removeView(it.view) }
        root.addView(new.view, 0)
        return new
    }

    fun takePicture() {
        val address = files.newPicture()
        val intent = Intent(MediaStore.ACTION_IMAGE_CAPTURE)
            .putExtra(MediaStore.EXTRA_OUTPUT, address)
            .addFlags(Intent.FLAG_GRANT_WRITE_URI_PERMISSION or Intent.FLAG_GRANT_READ_URI_PERMISSION)
        intent.clipData = ClipData.newRawUri(null, address)
        session.move(session.capture.cameraOpened(address.toString()))
        if (!started(intent, TAKE)) {
            session.move(session.capture.cameraClosed())
            (screen as? PictureScreen)?.sayNoCamera()
        }
    }

    fun choosePicture() {
        val fromCamera = session.capture.task?.fromCamera == true
        if (pickers(fromCamera).none { started(it, CHOOSE) }) {
            (screen as? PictureScreen)?.sayNoPicker()
        }
    }

    /**
     * The pickers to try in turn. An X-ray is a file and not a photo, so the photo picker would not show it. Many apps that
     * provide files know no type of a DICOM file.
     */
    private fun pickers(photos: Boolean): List<Intent> {
        val gallery = Intent(MediaStore.ACTION_PICK_IMAGES).takeIf { photos && Build.VERSION.SDK_INT >= 33 }
        val documents = Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE)
        val content = Intent(Intent.ACTION_GET_CONTENT).addCategory(Intent.CATEGORY_OPENABLE)
        gallery?.type = "image/*"
        for (files in listOf(documents, content)) {
            files.setType("*/*").putExtra(Intent.EXTRA_MIME_TYPES, arrayOf("image/*", DICOM, "application/octet-stream"))
        }
        return listOfNotNull(gallery, documents, content)
    }

    private fun started(intent: Intent, request: Int): Boolean =
        try {
            startActivityForResult(intent, request)
            true
        } catch (_: ActivityNotFoundException) {
            false
        } catch (_: SecurityException) {
            // The app that handles the intent does not allow others to start it.
            false
        }

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        when (request) {
            TAKE -> onTaken(result == RESULT_OK)
            CHOOSE -> if (result == RESULT_OK) data?.data?.let { session.move(session.capture.pictured("$it")) }
        }
    }

    private fun onTaken(done: Boolean) {
        val address = session.capture.camera ?: return
        val written = (files.file(Uri.parse(address))?.length() ?: 0) > 0
        val capture = session.capture
        session.move(if (done && written) capture.pictured(address, taken = true) else capture.cameraClosed())
    }

    private fun sharedPicture(intent: Intent): String? {
        if (intent.action != Intent.ACTION_SEND) return null
        return try {
            @Suppress("DEPRECATION") // The typed method fails on API 33 for some senders, and needs API 33.
            (intent.getParcelableExtra<Parcelable>(Intent.EXTRA_STREAM) as? Uri)?.toString()
        } catch (_: RuntimeException) {
            null // The extra has a class that this app does not have.
        }
    }

    fun back() {
        val before = session.capture.back()
        if (before == null) finish() else session.move(before)
    }

    @SuppressLint("GestureBackNavigation") // Used before API 33. Later versions call the callback below.
    @Deprecated("Called before API 33 only.")
    override fun onBackPressed(): Unit = back()

    /** Registers the callback only where back stays in the app, so that the system can preview where back leaves it. */
    private fun listenToBack(listen: Boolean) {
        if (Build.VERSION.SDK_INT < 33 || listen == (backCallback != null)) return
        val dispatcher = onBackInvokedDispatcher
        backCallback?.let(dispatcher::unregisterOnBackInvokedCallback)
        backCallback = null
        if (listen) {
            val callback = OnBackInvokedCallback(::back)
            dispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, callback)
            backCallback = callback
        }
    }

    /**
     * Pads the view by the system's bars, below which the app draws from API 35 on. Earlier versions report no bars.
     */
    private fun keepClearOfBars(view: View) {
        if (Build.VERSION.SDK_INT < 30) return
        view.setOnApplyWindowInsetsListener { _, insets ->
            val bars = WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
            val edges = insets.getInsets(bars)
            view.setPadding(edges.left, edges.top, edges.right, edges.bottom)
            WindowInsets.CONSUMED
        }
    }
}
