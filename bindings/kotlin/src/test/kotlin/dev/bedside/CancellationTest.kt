// A cancel handle or a cancelled coroutine ends a classification at its next stage. The coroutine returns after the
// core.

package dev.bedside

import java.util.concurrent.Executors
import java.util.concurrent.atomic.AtomicBoolean
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertTrue
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.TimeoutCancellationException
import kotlinx.coroutines.asCoroutineDispatcher
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancel
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withTimeout

@OptIn(ExperimentalCoroutinesApi::class)
class CancellationTest {
    private val classifier = TinyModel.open()
    private val picture = TinyModel.picture()
    private val frame = directBuffer(TinyModel.pictureFile.readBytes())
    private val encoded = FrameFormat(FrameLayout.Encoded)

    @Test
    fun cancel_handle_used_on_another_thread_ends_a_classification_at_its_next_stage() {
        val stages = listOf("decode", "preprocess", "engine")
        for ((number, last) in stages.withIndex()) {
            val handle = CancelHandle()
            val ended = Stages.during({ stage -> if (stage == last) onAnotherThread { handle.cancel() } }) {
                assertFailsWith<BedsideException.Cancelled> { classifier.classify(picture, Query(cancel = handle)) }
            }
            assertEquals(stages.take(number + 1), ended)
            assertTrue(handle.isCancelled())
        }
    }

    @Test
    fun cancelled_coroutine_ends_its_classification_at_the_next_stage() {
        val ended = cancelledAfterDecoding { classifier.classifyInBackground(picture) }
        assertEquals(listOf("decode"), ended)
    }

    @Test
    fun cancelled_coroutine_ends_frame_classifications_at_the_next_stage() {
        assertEquals(
            listOf("decode"),
            cancelledAfterDecoding { classifier.classifyFrameInBackground(frame, encoded) },
        )
        val gray = directBuffer(ByteArray(16))
        val layout = FrameLayout.Yuv420(2u, 2u, YuvStrides(2u, 1u, 1u, 1u, 1u, 1u), YuvMatrix.BT601, YuvRange.FULL)
        assertEquals(
            listOf("decode"),
            cancelledAfterDecoding { classifier.classifyYuv420InBackground(gray, gray, gray, FrameFormat(layout)) },
        )
    }

    @Test
    fun cancelled_coroutine_uses_the_querys_handle() {
        val handle = CancelHandle()
        val ended = cancelledAfterDecoding { classifier.classifyInBackground(picture, Query(cancel = handle)) }
        assertEquals(listOf("decode"), ended)
        assertTrue(handle.isCancelled())
    }

    @Test
    fun coroutine_that_is_not_cancelled_leaves_the_querys_handle_unused() = runBlocking {
        val handle = CancelHandle()
        repeat(2) { classifier.classifyInBackground(picture, Query(cancel = handle)) }
        assertFalse(handle.isCancelled())
    }

    @Test
    fun used_cancel_handle_is_an_error_where_the_coroutine_was_not_cancelled(): Unit = runBlocking {
        val used = Query(cancel = CancelHandle().apply { cancel() })
        assertFailsWith<BedsideException.Cancelled> { classifier.classifyInBackground(picture, used) }
    }

    @Test
    fun cancel_handle_closed_during_a_call_does_not_end_it() {
        val handle = CancelHandle()
        val ended = cancelledAfterDecoding(before = { handle.close() }) {
            classifier.classifyInBackground(picture, Query(cancel = handle))
        }
        assertEquals(listOf("decode", "preprocess", "engine", "verdict"), ended, "a closed handle can't cancel")
    }

    @Test
    fun cancelled_coroutine_returns_after_the_core() {
        val isInCore = AtomicBoolean(true)
        val ended = cancelledAfterDecoding(after = { pause(); isInCore.set(false) }) {
            classifier.classifyFrameInBackground(frame, encoded).also { error("it was cancelled") }
        }
        assertEquals(listOf("decode"), ended)
        assertFalse(isInCore.get(), "the buffer was still in use")
    }

    @Test
    fun coroutine_cancelled_before_its_call_classifies_nothing() {
        val ended = Stages.during({}) {
            runBlocking {
                val job = launch(start = CoroutineStart.UNDISPATCHED) {
                    coroutineContext.cancel()
                    classifier.classifyInBackground(picture)
                }
                job.join()
                assertTrue(job.isCancelled)
            }
        }
        assertEquals(emptyList(), ended)
    }

    @Test
    fun timeout_ends_a_classification() {
        val ended = Stages.during({ stage -> if (stage == "decode") pause() }) {
            assertFailsWith<TimeoutCancellationException> {
                runBlocking { withTimeout(50) { classifier.classifyInBackground(picture) } }
            }
        }
        assertEquals(listOf("decode"), ended)
    }

    @Test
    fun failed_coroutine_ends_its_siblings() {
        val isInCore = CompletableDeferred<Unit>()
        val decoded: (String) -> Unit = { stage ->
            if (stage == "decode") {
                isInCore.complete(Unit)
                pause()
            }
        }
        val ended = Stages.during(decoded) {
            assertFailsWith<BedsideException.InvalidQuery> {
                runBlocking {
                    coroutineScope {
                        launch { classifier.classifyInBackground(picture) }
                        launch {
                            isInCore.await()
                            classifier.classifyInBackground(picture, Query(allow = listOf("d")))
                        }
                    }
                }
            }
        }
        assertEquals(listOf("decode"), ended)
    }

    @Test
    fun background_classification_runs_on_the_dispatcher() {
        val threads = mutableSetOf<Thread>()
        val executor = Executors.newSingleThreadExecutor()
        Stages.during({ threads += Thread.currentThread() }) {
            runBlocking { classifier.classifyInBackground(picture, dispatcher = executor.asCoroutineDispatcher()) }
        }
        val worker = executor.submit<Thread> { Thread.currentThread() }.get()
        executor.shutdown()
        assertEquals(setOf(worker), threads)
    }

    @Test
    fun background_classification_gives_the_same_findings() = runBlocking {
        val wanted = classifier.classify(picture).bits
        val reports = List(16) { async(Dispatchers.Default) { classifier.classifyInBackground(picture) } }.awaitAll()
        assertTrue(reports.all { it.bits == wanted })
        assertEquals(wanted, classifier.classifyFrameInBackground(frame, encoded).bits)
    }

    @Test
    fun buffer_position_moved_during_a_call_changes_nothing() = runBlocking {
        val wanted = classifier.classify(picture).bits
        val moving = frame.duplicate()
        val report = async(start = CoroutineStart.UNDISPATCHED) {
            classifier.classifyFrameInBackground(moving, encoded)
        }
        moving.position(moving.limit())
        assertEquals(wanted, report.await().bits)
    }

    /** The stages that end when the coroutine of a call is cancelled on another thread after the first stage. */
    private fun cancelledAfterDecoding(
        before: () -> Unit = {},
        after: () -> Unit = {},
        call: suspend () -> Report,
    ): List<String> {
        lateinit var job: Deferred<Report>
        val cancel = {
            before()
            onAnotherThread { job.cancel() }
            after()
        }
        return Stages.during({ stage -> if (stage == "decode") cancel() }) {
            runBlocking {
                // A supervisor scope leaves a failure other than the cancellation to this test.
                supervisorScope {
                    job = async(start = CoroutineStart.LAZY) { call() }
                    job.join()
                }
                assertTrue(job.getCompletionExceptionOrNull() is CancellationException, "$job")
            }
        }
    }

    /** Waits so long that a coroutine which does not wait for the core would return before. */
    private fun pause() = Thread.sleep(200)
}
