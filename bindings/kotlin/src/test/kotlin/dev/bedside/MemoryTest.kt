// Memory stays flat: what the library keeps goes when it is closed, or collected.

package dev.bedside

import com.sun.jna.Pointer
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import javax.management.ObjectName
import kotlin.test.BeforeTest
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertTrue
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import org.junit.jupiter.api.Assumptions.assumeTrue

class MemoryTest {
    @BeforeTest
    fun only_linux_says_how_much_memory_is_resident() = assumeTrue(STATUS.exists(), "there is no $STATUS")

    @Test
    fun ten_thousand_images_reports_and_handles_and_many_classifiers_leave_nothing_behind() {
        val (model, frame) = Tiny.file().path to directBuffer(ByteArray(BYTES))
        stayFlat(rounds = 3) {
            repeat(20) { Classifier.open(model).use { it.lookAt(frame, Query()) } }
            Classifier.open(model).use { classifier -> repeat(1000) { classifier.lookAt(frame, Query()) } }
        }
    }

    @Test
    fun the_shipped_model_leaves_nothing_behind() {
        assumeTrue(Repository.property("bedside.soak").toBoolean(), "takes long: cargo xtask soak runs it")
        val frame = directBuffer(ByteArray(BYTES))
        val query = Query(answers = mapOf("dermatoscope" to Answer.Yes))
        stayFlat(rounds = 3) {
            repeat(20) { Classifier.open(Repository.model).use { it.lookAt(frame, query) } }
            Classifier.open(Repository.model).use { classifier -> repeat(1000) { classifier.lookAt(frame, query) } }
        }
    }

    @Test
    fun what_is_closed_is_held_no_more() {
        val (classifier, image, handle) = Triple(Tiny.open(), Tiny.picture(), CancelHandle())
        val shares = listOf(classifier.uniffiCloneHandle(), image.uniffiCloneHandle(), handle.uniffiCloneHandle())
        assertEquals(listOf(2L, 2L, 2L), shares.map(::holders), "the object, and the share that was taken here")
        listOf(classifier, image, handle).forEach { it.close() }
        assertEquals(listOf(1L, 1L, 1L), shares.map(::holders))
        giveBack(shares)
    }

    @Test
    fun what_a_call_is_about_is_held_no_longer_than_it_lasts() {
        val (classifier, image, handle) = Triple(Tiny.open(), Tiny.picture(), CancelHandle())
        val shares = listOf(classifier.uniffiCloneHandle(), image.uniffiCloneHandle(), handle.uniffiCloneHandle())
        val (closedImage, closedHandle) = Tiny.picture().apply { close() } to CancelHandle().apply { close() }
        val (frame, format) = directBuffer(Tiny.pictureFile.readBytes()) to FrameFormat(FrameLayout.Encoded)
        val queries = listOf(
            Query(cancel = handle),
            Query(cancel = handle, allow = listOf("d")),
            Query(cancel = handle, allow = listOf(NO_UNICODE)),
            Query(cancel = closedHandle),
        )
        val asking = queries.flatMap { query ->
            listOf<() -> Any?>(
                { classifier.classify(image, query) },
                { classifier.classifyFrame(frame, format, query) },
                { classifier.check(query) },
                { classifier.scopeReasons(query) },
                { classifier.classify(closedImage, query) },
            )
        }
        val others = listOf<() -> Any?>(
            { classifier.scores(image) },
            { classifier.manifest() },
            { image.mirrored() },
            { handle.isCancelled() },
            { classifier.scores(closedImage) },
            { classifier.manifest(NO_UNICODE) },
        )
        val outcomes = (asking + others).map { call ->
            runCatching(call).also { assertEquals(listOf(2L, 2L, 2L), shares.map(::holders), "$it") }
        }
        assertEquals(8, outcomes.count { it.isSuccess }, "the first four of the first query, and of the others")
        giveBack(shares)
    }

    /**
     * How many hold what a share is of: the first word of a Rust `Arc`, 16 bytes before its value. Exact where memory
     * is not: until it is collected, what JNA leaves behind of a call is more than a cancel handle.
     */
    private fun holders(share: Long) = Pointer(share - 16).getLong(0)

    /** Lets go of the shares of a classifier, an image and a cancel handle. */
    private fun giveBack(shares: List<Long>) {
        Classifier(UniffiWithHandle, shares[0]).close()
        Image(UniffiWithHandle, shares[1]).close()
        CancelHandle(UniffiWithHandle, shares[2]).close()
    }

    @Test
    fun calls_that_are_refused_leave_no_classifier_behind() {
        val notes = JsonObject(mapOf("notes" to JsonPrimitive("x".repeat(2 * MIB))))
        val model = Tiny.file(Tiny.manifest("provenance", notes)).path // 2 MiB that each classifier keeps
        val (closedImage, closedHandle) = Tiny.picture().apply { close() } to CancelHandle().apply { close() }
        val (picture, frame) = Tiny.picture() to directBuffer(Tiny.pictureFile.readBytes())
        val refused = listOf<(Classifier) -> Any?>(
            { it.classify(closedImage) },
            { it.classify(picture, Query(cancel = closedHandle)) },
            { it.classify(picture, Query(allow = listOf(NO_UNICODE))) },
            { it.classify(picture, Query(allow = listOf("d"))) },
            { it.classifyFrame(frame, FrameFormat(FrameLayout.Encoded), Query(cancel = closedHandle)) },
            { it.check(Query(cancel = closedHandle)) },
            { it.scopeReasons(Query(deny = listOf(NO_UNICODE))) },
            { it.scores(closedImage) },
            { it.manifest(NO_UNICODE) },
        )
        stayFlat(rounds = 2) {
            repeat(5) {
                Classifier.open(model).use { classifier ->
                    for (call in refused) assertFailsWith<Exception> { call(classifier) }
                    classifier.classify(picture)
                }
            }
        }
    }

    @Test
    fun calls_that_are_refused_leave_no_image_and_no_text_behind() {
        val (junk, closed) = ByteArray(4 * MIB) to CancelHandle().apply { close() }
        val queries = listOf(
            Query(cancel = closed),
            Query(allow = listOf(NO_UNICODE)),
            Query(allow = listOf("x".repeat(MIB), NO_UNICODE)),
            Query(language = NO_UNICODE),
        )
        Tiny.open().use { classifier ->
            stayFlat(rounds = 2) {
                repeat(10) {
                    Image.fromBytes(junk).use { image ->
                        for (query in queries) assertFailsWith<Exception> { classifier.classify(image, query) }
                        assertFailsWith<BedsideException.InvalidQuery> {
                            classifier.classify(image, Query(allow = listOf("d")))
                        }
                        assertFailsWith<BedsideException.UnsupportedImage> { classifier.scores(image) }
                    }
                }
            }
        }
    }

    @Test
    fun calls_that_fail_leave_nothing_behind() {
        val junk = ByteArray(BYTES)
        Tiny.open().use { classifier ->
            stayFlat(rounds = 3) {
                repeat(100) {
                    Image.fromBytes(junk).use { image ->
                        assertFailsWith<BedsideException.UnsupportedImage> { classifier.classify(image) }
                    }
                }
            }
        }
    }

    @Test
    fun what_is_not_closed_goes_with_the_garbage() {
        val (model, frame) = Tiny.file().path to directBuffer(ByteArray(BYTES))
        stayFlat(rounds = 3) {
            repeat(1000) {
                Image.fromFrame(frame, FORMAT)
                CancelHandle()
            }
            repeat(20) { Classifier.open(model) }
            // The library's memory does not press on the collector, so it is asked.
            collect()
        }
    }

    /** One image, one report and one handle, kept and closed. */
    private fun Classifier.lookAt(frame: ByteBuffer, query: Query) {
        CancelHandle().use { handle ->
            Image.fromFrame(frame, FORMAT).use { image -> classify(image, query.copy(cancel = handle)) }
        }
    }

    /**
     * Runs a round until memory has settled, then three times so many, and asserts that the time between the least and
     * the most growth added less than [BOUND_KIB]: a leak adds each time, what the virtual machine takes or gives back
     * for itself does not. Where it did meanwhile, four times more decide. If images stayed behind it would be 64 KiB
     * each, of reports about 3.
     */
    private fun stayFlat(rounds: Int, round: () -> Unit) {
        repeat(3) { round() }
        var before = settled()
        fun stretch(): Long {
            repeat(rounds) { round() }
            val after = settled()
            return (after - before).also { before = after }
        }
        fun List<Long>.middle() = sorted()[size / 2]
        var growth = List(3) { stretch() }
        if (growth.middle() >= BOUND_KIB) growth = growth + List(4) { stretch() }
        println("resident memory: $before KiB; each $rounds rounds added $growth KiB")
        assertTrue(growth.middle() < BOUND_KIB, "memory grew by $growth KiB")
    }

    /** Resident memory in KiB, once what is unreachable has been collected, and what is free given back. */
    private fun settled(): Long {
        collect()
        // Tens of MiB that the C library keeps free between classifiers are no leak.
        val diagnostics = ObjectName("com.sun.management:type=DiagnosticCommand")
        ManagementFactory.getPlatformMBeanServer()
            .invoke(diagnostics, "systemTrimNativeHeap", emptyArray(), emptyArray())
        val line = STATUS.useLines { lines -> lines.first { it.startsWith("VmRSS:") } }
        return line.filter(Char::isDigit).toLong()
    }

    /** Collects what is unreachable, and gives the thread that frees it the time. */
    private fun collect() = repeat(3) {
        System.gc()
        Thread.sleep(200)
    }

    private companion object {
        val STATUS = File("/proc/self/status")
        const val BOUND_KIB = 4 * 1024

        const val MIB = 1024 * 1024

        /** Half of a letter. */
        val NO_UNICODE = "\ud800"

        /** 64 KiB for few pixels: little to compute, and much to leave behind. */
        const val BYTES = 64 * 1024
        val FORMAT = FrameFormat(FrameLayout.Gray8(32u, 32u, 2048u))
    }
}
