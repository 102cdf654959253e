// Memory stays flat: the library frees an object when it is closed or collected.

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
    fun assume_linux_which_tells_resident_memory() = assumeTrue(STATUS.exists(), "there is no $STATUS")

    @Test
    fun memory_stays_flat_over_ten_thousand_classifications() {
        val (model, frame) = TinyModel.file().path to directBuffer(ByteArray(BYTES))
        assertFlat(rounds = 3) {
            repeat(20) { Classifier.open(model).use { it.classifyAndClose(frame, Query()) } }
            Classifier.open(model).use { classifier -> repeat(1000) { classifier.classifyAndClose(frame, Query()) } }
        }
    }

    @Test
    fun memory_stays_flat_with_the_shipped_model() {
        assumeTrue(Repository.property("bedside.soak").toBoolean(), "takes long: cargo xtask soak runs it")
        val frame = directBuffer(ByteArray(BYTES))
        val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
        assertFlat(rounds = 3) {
            repeat(20) { Classifier.open(Repository.model).use { it.classifyAndClose(frame, query) } }
            Classifier.open(Repository.model).use { classifier ->
                repeat(1000) { classifier.classifyAndClose(frame, query) }
            }
        }
    }

    @Test
    fun closed_object_has_no_reference_in_the_library() {
        val (classifier, image, handle) = Triple(TinyModel.open(), TinyModel.picture(), CancelHandle())
        val references = listOf(classifier.uniffiCloneHandle(), image.uniffiCloneHandle(), handle.uniffiCloneHandle())
        val before = references.map(::referenceCount)
        assertEquals(listOf(2L, 2L, 2L), before, "the object, and the reference that was taken here")
        listOf(classifier, image, handle).forEach { it.close() }
        assertEquals(listOf(1L, 1L, 1L), references.map(::referenceCount))
        release(references)
    }

    @Test
    fun call_releases_its_objects_when_it_ends() {
        val (classifier, image, handle) = Triple(TinyModel.open(), TinyModel.picture(), CancelHandle())
        val references = listOf(classifier.uniffiCloneHandle(), image.uniffiCloneHandle(), handle.uniffiCloneHandle())
        val (closedImage, closedHandle) = TinyModel.picture().apply { close() } to CancelHandle().apply { close() }
        val (frame, format) = directBuffer(TinyModel.pictureFile.readBytes()) to FrameFormat(FrameLayout.Encoded)
        val queries = listOf(
            Query(cancel = handle),
            Query(cancel = handle, allow = listOf("d")),
            Query(cancel = handle, allow = listOf(MALFORMED_UNICODE)),
            Query(cancel = closedHandle),
        )
        val callsWithQueries = queries.flatMap { query ->
            listOf<() -> Any?>(
                { classifier.classify(image, query) },
                { classifier.classifyFrame(frame, format, query) },
                { classifier.check(query) },
                { classifier.scopeReasons(query) },
                { classifier.classify(closedImage, query) },
            )
        }
        val otherCalls = listOf<() -> Any?>(
            { classifier.scores(image) },
            { classifier.manifest() },
            { image.mirrored() },
            { handle.isCancelled() },
            { classifier.scores(closedImage) },
            { classifier.manifest(MALFORMED_UNICODE) },
        )
        val outcomes = (callsWithQueries + otherCalls).map { call ->
            runCatching(call).also { assertEquals(listOf(2L, 2L, 2L), references.map(::referenceCount), "$it") }
        }
        assertEquals(8, outcomes.count { it.isSuccess }, "the first four of the first query, and of the others")
        release(references)
    }

    /**
     * The number of references to a Rust `Arc`: its first word, 16 bytes before its value. This is exact, and memory is
     * not: the garbage that JNA makes in a call is larger than a cancel handle.
     */
    private fun referenceCount(reference: Long) = Pointer(reference - 16).getLong(0)

    /** Releases the references to a classifier, an image and a cancel handle. */
    private fun release(references: List<Long>) {
        Classifier(UniffiWithHandle, references[0]).close()
        Image(UniffiWithHandle, references[1]).close()
        CancelHandle(UniffiWithHandle, references[2]).close()
    }

    @Test
    fun memory_stays_flat_where_a_classifiers_calls_are_refused() {
        val notes = JsonObject(mapOf("notes" to JsonPrimitive("x".repeat(2 * MIB))))
        val model = TinyModel.file(TinyModel.manifest("provenance", notes)).path // each classifier keeps 2 MiB
        val (closedImage, closedHandle) = TinyModel.picture().apply { close() } to CancelHandle().apply { close() }
        val (picture, frame) = TinyModel.picture() to directBuffer(TinyModel.pictureFile.readBytes())
        val refused = listOf<(Classifier) -> Any?>(
            { it.classify(closedImage) },
            { it.classify(picture, Query(cancel = closedHandle)) },
            { it.classify(picture, Query(allow = listOf(MALFORMED_UNICODE))) },
            { it.classify(picture, Query(allow = listOf("d"))) },
            { it.classifyFrame(frame, FrameFormat(FrameLayout.Encoded), Query(cancel = closedHandle)) },
            { it.check(Query(cancel = closedHandle)) },
            { it.scopeReasons(Query(deny = listOf(MALFORMED_UNICODE))) },
            { it.scores(closedImage) },
            { it.manifest(MALFORMED_UNICODE) },
        )
        assertFlat(rounds = 2) {
            repeat(5) {
                Classifier.open(model).use { classifier ->
                    for (call in refused) assertFailsWith<Exception> { call(classifier) }
                    classifier.classify(picture)
                }
            }
        }
    }

    @Test
    fun memory_stays_flat_where_calls_with_large_images_and_texts_are_refused() {
        val (noPicture, closed) = ByteArray(4 * MIB) to CancelHandle().apply { close() }
        val queries = listOf(
            Query(cancel = closed),
            Query(allow = listOf(MALFORMED_UNICODE)),
            Query(allow = listOf("x".repeat(MIB), MALFORMED_UNICODE)),
            Query(language = MALFORMED_UNICODE),
        )
        TinyModel.open().use { classifier ->
            assertFlat(rounds = 2) {
                repeat(10) {
                    Image.fromBytes(noPicture).use { image ->
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
    fun memory_stays_flat_where_calls_fail() {
        val noPicture = ByteArray(BYTES)
        TinyModel.open().use { classifier ->
            assertFlat(rounds = 3) {
                repeat(100) {
                    Image.fromBytes(noPicture).use { image ->
                        assertFailsWith<BedsideException.UnsupportedImage> { classifier.classify(image) }
                    }
                }
            }
        }
    }

    @Test
    fun memory_stays_flat_where_objects_are_collected_and_not_closed() {
        val (model, frame) = TinyModel.file().path to directBuffer(ByteArray(BYTES))
        assertFlat(rounds = 3) {
            repeat(1000) {
                Image.fromFrame(frame, FORMAT)
                CancelHandle()
            }
            repeat(20) { Classifier.open(model) }
            // The library's memory is not part of the heap, so the collector does not start by itself.
            collect()
        }
    }

    /** Classifies one image with one cancel handle and closes both. */
    private fun Classifier.classifyAndClose(frame: ByteBuffer, query: Query) {
        CancelHandle().use { handle ->
            Image.fromFrame(frame, FORMAT).use { image -> classify(image, query.copy(cancel = handle)) }
        }
    }

    /**
     * Runs a round three times, so that memory settles. Then measures three times how much memory `rounds` rounds add,
     * and asserts that the median is below [BOUND_KIB]: a leak adds memory each time, while the virtual machine takes
     * memory for itself, or gives it back, only now and then. Where the median is not below the bound, four more
     * measurements decide. A leaked image would add 64 KiB, a leaked report about 3 KiB.
     */
    private fun assertFlat(rounds: Int, round: () -> Unit) {
        repeat(3) { round() }
        var before = residentKib()
        fun measure(): Long {
            repeat(rounds) { round() }
            val after = residentKib()
            return (after - before).also { before = after }
        }
        fun List<Long>.median() = sorted()[size / 2]
        var growth = List(3) { measure() }
        if (growth.median() >= BOUND_KIB) growth = growth + List(4) { measure() }
        println("resident memory: $before KiB; each $rounds rounds added $growth KiB")
        assertTrue(growth.median() < BOUND_KIB, "memory grew by $growth KiB")
    }

    /** Resident memory in KiB, after unreachable objects were collected and free memory was given back. */
    private fun residentKib(): Long {
        collect()
        // The C library keeps tens of MiB free between classifiers, which are no leak.
        val diagnostics = ObjectName("com.sun.management:type=DiagnosticCommand")
        ManagementFactory.getPlatformMBeanServer()
            .invoke(diagnostics, "systemTrimNativeHeap", emptyArray(), emptyArray())
        val line = STATUS.useLines { lines -> lines.first { it.startsWith("VmRSS:") } }
        return line.filter(Char::isDigit).toLong()
    }

    /** Collects unreachable objects, and waits for the thread that frees them. */
    private fun collect() = repeat(3) {
        System.gc()
        Thread.sleep(200)
    }

    private companion object {
        val STATUS = File("/proc/self/status")
        const val BOUND_KIB = 4 * 1024

        const val MIB = 1024 * 1024

        /** An unpaired surrogate, which is not Unicode text. */
        val MALFORMED_UNICODE = "\ud800"

        /** 64 KiB for few pixels: a classification takes little time, and a leak is large. */
        const val BYTES = 64 * 1024
        val FORMAT = FrameFormat(FrameLayout.Gray8(32u, 32u, 2048u))
    }
}
