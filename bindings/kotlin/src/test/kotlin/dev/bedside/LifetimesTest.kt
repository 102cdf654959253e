// Misuse of what the library keeps is an exception, never a crash.

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
    fun a_closed_classifier_is_refused() {
        val classifier = Tiny.open().apply { close() }
        assertFailsWith<IllegalStateException> { classifier.classify(Tiny.picture()) }
        assertFailsWith<IllegalStateException> {
            classifier.classifyFrame(directBuffer(Tiny.pictureFile.readBytes()), FrameFormat(FrameLayout.Encoded))
        }
        assertFailsWith<IllegalStateException> { classifier.warmUp() }
        assertFailsWith<IllegalStateException> { classifier.manifest() }
        assertFailsWith<IllegalStateException> {
            runBlocking { classifier.classifyInBackground(Tiny.picture()) }
        }
    }

    @Test
    fun a_closed_image_is_refused() {
        val image = Tiny.picture().apply { close() }
        assertFailsWith<IllegalStateException> { image.rotated(Rotation.CLOCKWISE90) }
        Tiny.open().use { classifier ->
            assertFailsWith<IllegalStateException> { classifier.classify(image) }
            assertFailsWith<IllegalStateException> { classifier.scores(image) }
        }
    }

    @Test
    fun a_closed_handle_is_refused() {
        val handle = CancelHandle().apply { close() }
        assertFailsWith<IllegalStateException> { handle.cancel() }
        Tiny.open().use { classifier ->
            assertFailsWith<IllegalStateException> { classifier.classify(Tiny.picture(), Query(cancel = handle)) }
            assertFailsWith<IllegalStateException> { classifier.check(Query(cancel = handle)) }
        }
    }

    @Test
    fun closing_twice_is_closing_once() {
        for (kept in listOf(Tiny.open(), Tiny.picture(), CancelHandle())) repeat(2) { kept.close() }
        val classifier = Tiny.open()
        List(8) { thread { classifier.close() } }.forEach { it.join() }
    }

    @Test
    fun a_classifier_closed_during_a_call_serves_that_call_to_its_end() {
        val (classifier, image, handle) = Triple(Tiny.open(), Tiny.picture(), CancelHandle())
        val wanted = classifier.classify(image).bits
        val closeAll = { elsewhere { listOf(classifier, image, handle).forEach { it.close() } } }
        Stages.during({ stage -> if (stage == "decode") closeAll() }) {
            assertEquals(wanted, classifier.classify(image, Query(cancel = handle)).bits)
        }
        assertFailsWith<IllegalStateException> { classifier.classify(Tiny.picture()) }
    }

    @Test
    fun closing_while_eight_threads_call_gives_each_a_report_or_an_exception() {
        repeat(20) {
            val (classifier, image) = Tiny.open() to Tiny.picture()
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
