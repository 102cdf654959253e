// Misuse of an object that the library holds is an exception, never a crash.

package dev.bedside

import java.util.concurrent.CopyOnWriteArrayList
import kotlin.concurrent.thread
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.coroutines.runBlocking

class LifetimesTest {
    private val failures = CopyOnWriteArrayList<Throwable>()

    @Test
    fun classifier_refuses_calls_once_closed() {
        val classifier = TinyModel.open().apply { close() }
        assertFailsWith<IllegalStateException> { classifier.classify(TinyModel.picture()) }
        assertFailsWith<IllegalStateException> {
            classifier.classifyFrame(directBuffer(TinyModel.pictureFile.readBytes()), FrameFormat(FrameLayout.Encoded))
        }
        assertFailsWith<IllegalStateException> { classifier.warmUp() }
        assertFailsWith<IllegalStateException> { classifier.manifest() }
        assertFailsWith<IllegalStateException> {
            runBlocking { classifier.classifyInBackground(TinyModel.picture()) }
        }
    }

    @Test
    fun image_refuses_calls_once_closed() {
        val image = TinyModel.picture().apply { close() }
        assertFailsWith<IllegalStateException> { image.rotated(Rotation.CLOCKWISE90) }
        TinyModel.open().use { classifier ->
            assertFailsWith<IllegalStateException> { classifier.classify(image) }
            assertFailsWith<IllegalStateException> { classifier.scores(image) }
        }
    }

    @Test
    fun cancel_handle_refuses_calls_once_closed() {
        val handle = CancelHandle().apply { close() }
        assertFailsWith<IllegalStateException> { handle.cancel() }
        TinyModel.open().use { classifier ->
            assertFailsWith<IllegalStateException> { classifier.classify(TinyModel.picture(), Query(cancel = handle)) }
            assertFailsWith<IllegalStateException> { classifier.check(Query(cancel = handle)) }
        }
    }

    @Test
    fun object_may_be_closed_many_times() {
        for (closeable in listOf(TinyModel.open(), TinyModel.picture(), CancelHandle())) repeat(2) { closeable.close() }
        val classifier = TinyModel.open()
        List(8) { thread { classifier.close() } }.forEach { it.join() }
    }

    @Test
    fun objects_closed_during_a_call_serve_it_to_its_end() {
        val (classifier, image, handle) = Triple(TinyModel.open(), TinyModel.picture(), CancelHandle())
        val wanted = classifier.classify(image).bits
        val closeAll = { onAnotherThread { listOf(classifier, image, handle).forEach { it.close() } } }
        Stages.during({ stage -> if (stage == "decode") closeAll() }) {
            assertEquals(wanted, classifier.classify(image, Query(cancel = handle)).bits)
        }
        assertFailsWith<IllegalStateException> { classifier.classify(TinyModel.picture()) }
    }

    @Test
    fun classifier_closed_under_eight_calling_threads_gives_reports_or_exceptions() {
        repeat(20) {
            val (classifier, image) = TinyModel.open() to TinyModel.picture()
            val wanted = classifier.classify(image).bits
            val callers = List(8) {
                thread {
                    val outcome = runCatching { repeat(1000) { assertEquals(wanted, classifier.classify(image).bits) } }
                    assertTrue(outcome.exceptionOrNull() is IllegalStateException, "$outcome")
                }.apply { setUncaughtExceptionHandler { _, failure -> failures += failure } }
            }
            Thread.sleep(5)
            listOf(classifier, image).forEach { it.close() }
            callers.forEach { it.join() }
        }
        assertEquals(emptyList(), failures.toList())
    }
}
