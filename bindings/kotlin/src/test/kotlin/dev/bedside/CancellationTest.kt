// Cancelling reaches the core, which stops at its next stage; a coroutine returns when the core has.

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
    private val classifier = Tiny.open()
    private val picture = Tiny.picture()
    private val frame = directBuffer(Tiny.pictureFile.readBytes())
    private val encoded = FrameFormat(FrameLayout.Encoded)

    @Test
    fun a_handle_used_on_another_thread_ends_the_classification_at_its_next_stage() {
        val stages = listOf("decode", "preprocess", "engine")
        for ((number, last) in stages.withIndex()) {
            val handle = CancelHandle()
            val ended = Stages.during({ stage -> if (stage == last) elsewhere { handle.cancel() } }) {
                assertFailsWith<BedsideException.Cancelled> { classifier.classify(picture, Query(cancel = handle)) }
            }
            assertEquals(stages.take(number + 1), ended)
            assertTrue(handle.isCancelled())
        }
    }

    @Test
    fun cancelling_the_coroutine_ends_the_classification_at_its_next_stage() {
        val ended = cancelledAfterDecoding { classifier.classifyInBackground(picture) }
        assertEquals(listOf("decode"), ended)
    }

    @Test
    fun cancelling_the_coroutine_ends_frames_alike() {
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
    fun cancelling_the_coroutine_uses_the_querys_handle() {
        val handle = CancelHandle()
        val ended = cancelledAfterDecoding { classifier.classifyInBackground(picture, Query(cancel = handle)) }
        assertEquals(listOf("decode"), ended)
        assertTrue(handle.isCancelled())
    }

    @Test
    fun a_coroutine_that_was_not_cancelled_leaves_the_querys_handle_unused() = runBlocking {
        val handle = CancelHandle()
        repeat(2) { classifier.classifyInBackground(picture, Query(cancel = handle)) }
        assertFalse(handle.isCancelled())
    }

    @Test
    fun a_used_handle_is_an_error_where_the_coroutine_was_not_cancelled(): Unit = runBlocking {
        val used = Query(cancel = CancelHandle().apply { cancel() })
        assertFailsWith<BedsideException.Cancelled> { classifier.classifyInBackground(picture, used) }
    }

    @Test
    fun a_handle_closed_during_the_call_does_no_harm() {
        val handle = CancelHandle()
        val ended = cancelledAfterDecoding(before = { handle.close() }) {
            classifier.classifyInBackground(picture, Query(cancel = handle))
        }
        assertEquals(listOf("decode", "preprocess", "engine", "verdict"), ended, "nothing was left to cancel it by")
    }

    @Test
    fun a_cancelled_coroutine_returns_no_sooner_than_the_core() {
        val isInCore = AtomicBoolean(true)
        val ended = cancelledAfterDecoding(after = { linger(); isInCore.set(false) }) {
            classifier.classifyFrameInBackground(frame, encoded).also { error("it was cancelled") }
        }
        assertEquals(listOf("decode"), ended)
        assertFalse(isInCore.get(), "the buffer was still in use")
    }

    @Test
    fun a_coroutine_cancelled_before_it_began_classifies_nothing() {
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
    fun a_timeout_ends_the_classification() {
        val ended = Stages.during({ stage -> if (stage == "decode") linger() }) {
            assertFailsWith<TimeoutCancellationException> {
                runBlocking { withTimeout(50) { classifier.classifyInBackground(picture) } }
            }
        }
        assertEquals(listOf("decode"), ended)
    }

    @Test
    fun one_that_fails_ends_its_siblings() {
        val isInCore = CompletableDeferred<Unit>()
        val decoded: (String) -> Unit = { stage ->
            if (stage == "decode") {
                isInCore.complete(Unit)
                linger()
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
    fun the_work_is_done_on_the_dispatcher_and_not_on_the_callers_thread() {
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
    fun the_background_gives_what_the_foreground_gives() = runBlocking {
        val wanted = classifier.classify(picture).bits
        val reports = List(16) { async(Dispatchers.Default) { classifier.classifyInBackground(picture) } }.awaitAll()
        assertTrue(reports.all { it.bits == wanted })
        assertEquals(wanted, classifier.classifyFrameInBackground(frame, encoded).bits)
    }

    @Test
    fun a_position_that_moves_after_the_call_began_changes_nothing() = runBlocking {
        val wanted = classifier.classify(picture).bits
        val moving = frame.duplicate()
        val report = async(start = CoroutineStart.UNDISPATCHED) {
            classifier.classifyFrameInBackground(moving, encoded)
        }
        moving.position(moving.limit())
        assertEquals(wanted, report.await().bits)
    }

    /** The stages that end when the coroutine of a call is cancelled, from another thread, after the first one. */
    private fun cancelledAfterDecoding(
        before: () -> Unit = {},
        after: () -> Unit = {},
        call: suspend () -> Report,
    ): List<String> {
        lateinit var job: Deferred<Report>
        val cancel = {
            before()
            elsewhere { job.cancel() }
            after()
        }
        return Stages.during({ stage -> if (stage == "decode") cancel() }) {
            runBlocking {
                // A scope of its own: a failure other than the cancellation is the test's.
                supervisorScope {
                    job = async(start = CoroutineStart.LAZY) { call() }
                    job.join()
                }
                assertTrue(job.getCompletionExceptionOrNull() is CancellationException, "$job")
            }
        }
    }

    /** Long enough for a coroutine that does not wait to be seen. */
    private fun linger() = Thread.sleep(200)
}
