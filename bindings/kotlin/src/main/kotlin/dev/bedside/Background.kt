// Classification that does not block the caller's thread.
//
// Each call runs on one thread of the dispatcher from beginning to end, and the coroutine resumes after it. The image
// and the buffers are not in use once the call has returned or thrown. Cancelling the coroutine ends the classification
// at its next stage (decode, preprocess, engine, verdict), or at the next layer of a network that is quantized from end
// to end, so the call returns when that stage or layer is done.

package dev.bedside

import java.nio.ByteBuffer
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.job
import kotlinx.coroutines.withContext

/**
 * Classifies one picture on a thread of the dispatcher.
 *
 * Cancelling the coroutine uses the query's cancel handle, or one made for this call where the query has none. A handle
 * that several queries share ends all of their classifications.
 *
 * @param dispatcher runs the work, for tens to hundreds of milliseconds, so it must not be the main thread's
 * @throws BedsideException as `classify` does; `Cancelled` where the query's handle was used and the coroutine was not
 *   cancelled
 * @throws IllegalStateException where the classifier is closed
 */
public suspend fun Classifier.classifyInBackground(
    image: Image,
    query: Query = Query(),
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
): Report = inBackground(query, dispatcher) { classify(image, it) }

/**
 * Classifies one frame, as [classifyFrame] does, on a thread of the dispatcher.
 *
 * The bytes must not change before this returns or throws. For cancelling and for errors see [classifyInBackground].
 *
 * @throws IllegalArgumentException where the buffer is not direct
 */
public suspend fun Classifier.classifyFrameInBackground(
    pixels: ByteBuffer,
    format: FrameFormat,
    query: Query = Query(),
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
): Report {
    val planes = Planes(pixels)
    return inBackground(query, dispatcher) { planes.classifiedBy(this, format, it) }
}

/**
 * Classifies one YUV 4:2:0 frame, as [classifyYuv420] does, on a thread of the dispatcher.
 *
 * The bytes must not change before this returns or throws. For cancelling and for errors see [classifyInBackground].
 *
 * @throws IllegalArgumentException where a buffer is not direct
 */
public suspend fun Classifier.classifyYuv420InBackground(
    y: ByteBuffer,
    u: ByteBuffer,
    v: ByteBuffer,
    format: FrameFormat,
    query: Query = Query(),
    dispatcher: CoroutineDispatcher = Dispatchers.Default,
): Report {
    val planes = Planes(y, u, v)
    return inBackground(query, dispatcher) { planes.classifiedBy(this, format, it) }
}

/** Runs a classification on the dispatcher, with a cancel handle that is used when the coroutine is cancelled. */
private suspend fun inBackground(query: Query, dispatcher: CoroutineDispatcher, call: (Query) -> Report): Report =
    withContext(dispatcher) {
        val given = query.cancel
        val handle = given ?: CancelHandle()
        // A child job without work completes at the moment when its parent is cancelled.
        val observer = Job(coroutineContext.job)
        observer.invokeOnCompletion { cause -> if (cause != null) handle.cancelUnlessClosed() }
        try {
            call(query.copy(cancel = handle))
        } catch (cancelled: BedsideException.Cancelled) {
            // Where the coroutine was cancelled, this throws its `CancellationException`.
            coroutineContext.ensureActive()
            throw cancelled
        } finally {
            observer.complete()
            if (given == null) handle.close()
        }
    }

/** Uses the handle. A closed handle has no classification left to end. */
private fun CancelHandle.cancelUnlessClosed() {
    try {
        cancel()
    } catch (_: IllegalStateException) {
        // The handle was closed: its classification is over, or can no longer be ended by it.
    }
}
