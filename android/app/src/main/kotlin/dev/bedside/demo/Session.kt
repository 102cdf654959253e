package dev.bedside.demo

import android.content.ContentResolver
import android.graphics.Bitmap
import android.net.Uri
import dev.bedside.BedsideException
import dev.bedside.Classifier
import dev.bedside.Image
import dev.bedside.Manifest
import dev.bedside.Reason
import dev.bedside.Report
import dev.bedside.classifyInBackground
import dev.bedside.fromUri
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What came of a capture. */
sealed interface Outcome {
    class Told(val report: Report, val preview: Bitmap?) : Outcome

    class OutOfScope(val reasons: List<Reason>) : Outcome

    class Failed(val error: BedsideException, val aboutPicture: Boolean) : Outcome
}

/**
 * A capture and the work that it asks for, on the main thread. It outlives the activity when the screen is turned, and
 * is made anew from the saved capture when the process was ended: work that was under way is then done again.
 */
class Session(
    private val models: Models,
    private val resolver: ContentResolver,
    /** A BCP 47 tag: what the model says about itself and its labels is in this language. */
    val language: String,
    first: Capture,
    private val background: CoroutineDispatcher = Dispatchers.Default,
) {
    var capture: Capture = first
        private set
    var manifest: Manifest? = null
        private set
    var outcome: Outcome? = null
        private set

    /** Called after each change, to draw it. */
    var onChange: () -> Unit = {}

    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Main)
    private var work: Job? = null

    /** Goes on with another state of the capture, and starts the work that it needs. */
    fun move(next: Capture) {
        if (next.task != capture.task) manifest = null
        if (!keepsOutcome(next)) outcome = null
        capture = next
        proceed()
        onChange()
    }

    /** An answer, while it is being given: nothing else changes. */
    fun answer(question: String, answer: String) {
        capture = capture.answered(question, answer)
    }

    /** Starts, or ends, what the capture's step asks for. */
    fun proceed() {
        work?.cancel()
        work = when (capture.step) {
            Step.QUESTIONS -> if (manifest == null) start { describe(it) } else null
            Step.WORK, Step.RESULT, Step.SLIP -> if (outcome == null) start { examine(it) } else null
            Step.HOME, Step.PICTURE, Step.ERROR -> null
        }
    }

    /** Goes on from the questions: to the picture, or to the result where the answers reject already. */
    fun questionsAnswered() {
        val task = capture.task ?: return
        work?.cancel()
        work = scope.launch {
            val classifier = opened(task) ?: return@launch
            try {
                val reasons = reasons(classifier)
                if (reasons.isEmpty()) move(capture.inScope()) else reject(reasons)
            } catch (error: BedsideException) {
                fail(error, aboutPicture = false)
            }
        }
    }

    fun close() {
        onChange = {}
        scope.cancel()
    }

    private fun keepsOutcome(next: Capture): Boolean =
        next.picture == capture.picture && next.answers == capture.answers &&
            next.step in setOf(Step.RESULT, Step.SLIP, Step.ERROR)

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

    private suspend fun examine(task: Task) {
        val address = capture.picture ?: return
        val classifier = opened(task) ?: return
        try {
            tell(look(classifier, Uri.parse(address)))
        } catch (error: BedsideException) {
            fail(error, aboutPicture = true)
        }
    }

    private suspend fun look(classifier: Classifier, address: Uri): Outcome {
        val query = withContext(background) { query(classifier.manifest(language), capture.answers, language) }
        // Another app may take its time: it must not hold a thread that classifies.
        val image = withContext(Dispatchers.IO) { Image.fromUri(resolver, address) }
        val report = image.use { classifier.classifyInBackground(it, query, background) }
        return Outcome.Told(report, withContext(Dispatchers.IO) { preview(resolver, address) })
    }

    private suspend fun reasons(classifier: Classifier): List<Reason> = withContext(background) {
        classifier.scopeReasons(query(classifier.manifest(language), capture.answers, language))
    }

    private suspend fun opened(task: Task): Classifier? =
        try {
            models.open(task)
        } catch (error: BedsideException) {
            fail(error, aboutPicture = false)
            null
        }

    private fun reject(reasons: List<Reason>) {
        outcome = Outcome.OutOfScope(reasons)
        capture = capture.outOfScope()
        onChange()
    }

    private fun tell(told: Outcome) {
        outcome = told
        capture = capture.told()
        onChange()
    }

    private fun fail(error: BedsideException, aboutPicture: Boolean) {
        outcome = Outcome.Failed(error, aboutPicture)
        capture = capture.failed()
        onChange()
    }
}
