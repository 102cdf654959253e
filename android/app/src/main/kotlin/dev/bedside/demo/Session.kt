package dev.bedside.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.net.Uri
import dev.bedside.BedsideException
import dev.bedside.Classifier
import dev.bedside.Image
import dev.bedside.Manifest
import dev.bedside.Query
import dev.bedside.Reason
import dev.bedside.Report
import dev.bedside.Source
import dev.bedside.Triage
import dev.bedside.classifyInBackground
import dev.bedside.fromBitmap
import dev.bedside.fromUri
import dev.bedside.of
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** The outcome of a capture. */
sealed interface Outcome {
    class Told(val report: Report, val preview: Bitmap?) : Outcome

    class OutOfScope(val reasons: List<Reason>, val triage: Triage, val advice: String) : Outcome

    class Failed(val error: BedsideException, val aboutPicture: Boolean) : Outcome
}

/**
 * A capture and the work of its step, on the main thread. It outlives the activity at a configuration change. In a new
 * process it is made of the saved capture, and unfinished work runs again.
 */
class Session(
    private val models: Models,
    private val resolver: ContentResolver,
    /** The language of manifests and reports, a BCP 47 tag. */
    val language: String,
    first: Capture,
    private val background: CoroutineDispatcher = Dispatchers.Default,
) {
    var capture: Capture = first
        private set

    /** The manifest of the task's model. There is one wherever there is a result. */
    var manifest: Manifest? = null
        private set
    var outcome: Outcome? = null
        private set

    /** A copy of the picture, on which its part is chosen. There is one at [Step.CROP], once it is read. */
    var preview: Bitmap? = null
        private set

    /** The square that is being chosen on it. */
    var crop = Crop()

    /** Called after each change. */
    var onChange: () -> Unit = {}

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
    private var work: Job? = null

    /** Replaces the capture and starts the work that it needs. */
    fun move(next: Capture) {
        if (next.task != capture.task) manifest = null
        if (!keepsOutcome(next)) outcome = null
        if (next.picture != capture.picture || next.step != Step.CROP) forgetPreview()
        capture = next
        proceed()
        onChange()
    }

    /** Sets an answer while a person types or taps it, without drawing the screen. */
    fun answer(question: String, answer: String) {
        capture = capture.answered(question, answer)
    }

    /** Sets the site on the body while a person types it, without drawing the screen. */
    fun site(site: String) {
        capture = capture.at(site)
    }

    /** Ends the work that is running, and starts the work of the capture's step. */
    fun proceed() {
        work?.cancel()
        work = when (capture.step) {
            Step.QUESTIONS -> if (manifest == null) start { describe(it) } else null
            Step.CROP -> if (preview == null) start { look() } else null
            Step.WORK, Step.RESULT, Step.CLINICIANS, Step.SLIP -> if (outcome == null) start { examine(it) } else null
            Step.HOME, Step.PICTURE, Step.ERROR -> null
        }
    }

    /** Leaves the questions for the picture, or for the result where the answers reject every picture. */
    fun questionsAnswered() {
        val task = capture.task ?: return
        work?.cancel()
        work = scope.launch {
            val classifier = opened(task) ?: return@launch
            try {
                val outOfScope = outOfScope(classifier)
                if (outOfScope == null) move(capture.inScope()) else reject(outOfScope)
            } catch (error: BedsideException) {
                fail(error, aboutPicture = false)
            }
        }
    }

    fun close() {
        onChange = {}
        scope.cancel()
    }

    private fun forgetPreview() {
        preview = null
        crop = Crop()
    }

    private fun keepsOutcome(next: Capture): Boolean =
        next.picture == capture.picture && next.part == capture.part &&
            next.answers == capture.answers && next.shares == capture.shares &&
            next.step in setOf(Step.RESULT, Step.CLINICIANS, Step.SLIP, Step.ERROR)

    private fun start(work: suspend (Task) -> Unit): Job? = capture.task?.let { task -> scope.launch { work(task) } }

    private suspend fun describe(task: Task) {
        val classifier = opened(task) ?: return
        try {
            manifest = withContext(background) { classifier.manifest(language) }
            onChange()
        } catch (error: BedsideException) {
            fail(error, aboutPicture = false)
        }
    }

    /** Reads the picture whose part is chosen. One that can't be shown is looked at as a whole. */
    private suspend fun look() {
        val address = capture.picture ?: return
        preview = withContext(Dispatchers.IO) { preview(resolver, Uri.parse(address), LARGE) }
        if (preview == null) move(capture.cropped(null)) else onChange()
    }

    private suspend fun examine(task: Task) {
        val address = capture.picture ?: return
        val classifier = opened(task) ?: return
        try {
            val known = withContext(background) { classifier.manifest(language) }
            manifest = known
            tell(classify(classifier, known, Uri.parse(address)))
        } catch (error: BedsideException) {
            fail(error, aboutPicture = true)
        }
    }

    private suspend fun classify(classifier: Classifier, manifest: Manifest, address: Uri): Outcome.Told {
        val query = query(manifest, capture.answers, language).copy(
            source = if (capture.taken) Source.CAMERA else Source.FILE,
            refusals = capture.refusals.toUInt(),
            region = capture.part?.region,
            prevalence = prevalence(manifest.shownLabels.map { it.id }, capture.shares).orEmpty(),
        )
        val report = report(classifier, address, query)
        val seen = withContext(Dispatchers.IO) { preview(resolver, address) }
        return Outcome.Told(report, capture.part?.let { part -> seen?.part(part) } ?: seen)
    }

    private suspend fun report(classifier: Classifier, address: Uri, query: Query): Report =
        try {
            // Another app may be slow, so this must not run on a thread that classifies.
            val image = withContext(Dispatchers.IO) { Image.fromUri(resolver, address) }
            image.use { classifier.classifyInBackground(it, query, background) }
        } catch (unsupported: BedsideException.UnsupportedImage) {
            // The system may read the file's format, such as HEIC.
            val image = withContext(Dispatchers.IO) { decoded(resolver, address)?.let { Image.fromBitmap(it) } }
            image?.use { classifier.classifyInBackground(it, query, background) } ?: throw unsupported
        }

    /** The outcome where the answers reject every picture. */
    private suspend fun outOfScope(classifier: Classifier): Outcome.OutOfScope? = withContext(background) {
        val (manifest, answers) = classifier.manifest(language) to capture.answers
        val reasons = classifier.scopeReasons(query(manifest, answers, language))
        val triage = manifest.unassessedTriage(answers)
        if (reasons.isEmpty()) null else Outcome.OutOfScope(reasons, triage, manifest.advice.of(triage))
    }

    private suspend fun opened(task: Task): Classifier? =
        try {
            models.open(task)
        } catch (error: BedsideException) {
            fail(error, aboutPicture = false)
            null
        }

    private fun reject(outOfScope: Outcome.OutOfScope) {
        outcome = outOfScope
        capture = capture.outOfScope()
        onChange()
    }

    private fun tell(told: Outcome.Told) {
        outcome = told
        capture = capture.told(refused = told.report.verdict.reasons.any { it.isQuality })
        onChange()
    }

    private fun fail(error: BedsideException, aboutPicture: Boolean) {
        outcome = Outcome.Failed(error, aboutPicture)
        capture = capture.failed()
        onChange()
    }
}
