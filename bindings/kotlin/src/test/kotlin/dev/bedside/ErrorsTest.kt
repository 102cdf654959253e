// Every kind of error reaches Kotlin as what it is. `internal` needs a panic: see PanicTest.

package dev.bedside

import java.nio.charset.CharacterCodingException
import java.util.Base64
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlinx.serialization.json.JsonPrimitive
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.TestFactory

class ErrorsTest {
    /** How each kind is provoked, and what its message names. */
    private val provocations: Map<ErrorKind, Pair<String, () -> Any?>> = mapOf(
        ErrorKind.IO to ("no-such.jpg" to { Image.open("no-such.jpg") }),
        ErrorKind.UNSUPPORTED_IMAGE to ("GIF" to { look("GIF89a".toByteArray() + ByteArray(64)) }),
        ErrorKind.MALFORMED_IMAGE to ("JPEG" to { look(photo.copyOf(photo.size / 8)) }),
        ErrorKind.TOO_LARGE to ("1024" to {
            Tiny.open(options = Options(limits = Limits(maxDeclaredPixels = 1023u))).look()
        }),
        ErrorKind.MALFORMED_MODEL to ("ONNX" to { Classifier.fromBytes("not a model".toByteArray()) }),
        ErrorKind.UNSUPPORTED_MODEL to ("operator" to {
            Classifier.open(Tiny.file(graph = "unknown-operator.onnx").path)
        }),
        ErrorKind.INVALID_MANIFEST to ("manifest" to { Classifier.open(Tiny.file(manifest = null).path) }),
        ErrorKind.INVALID_QUERY to ("`d`" to { Tiny.open().look(Query(allow = listOf("d"))) }),
        ErrorKind.CANCELLED to ("cancelled" to {
            Tiny.open().look(Query(cancel = CancelHandle().apply { cancel() }))
        }),
        ErrorKind.SELF_TEST to ("0.82" to { Tiny.open(withGoldenScores("[0.82, 0.11, 0.07]")).selfTest() }),
    )

    @TestFactory
    fun each_kind_is_provoked_and_its_message_names_what_was_wrong() = provocations.map { (kind, provocation) ->
        val (named, provoke) = provocation
        DynamicTest.dynamicTest("$kind") {
            val exception = assertFailsWith<BedsideException> { provoke() }
            assertEquals(kind, exception.kind, exception.message)
            assertContains(exception.message!!, named)
        }
    }

    @Test
    fun no_kind_is_left_out() {
        assertEquals(ErrorKind.entries.toSet() - ErrorKind.INTERNAL, provocations.keys)
    }

    @Test
    fun a_class_of_exception_has_the_kind_of_its_name() {
        val classes = BedsideException::class.sealedSubclasses
        val kinds = classes.associate { it.simpleName!!.snakeCase to it.constructors.single().call("why").kind }
        assertEquals(ErrorKind.entries.associateBy { it.name.lowercase() }, kinds)
    }

    @Test
    fun a_model_file_over_the_limit_is_too_large() {
        val small = Options(limits = Limits(maxModelBytes = 1000u))
        val exception = assertFailsWith<BedsideException.TooLarge> { Tiny.open(options = small) }
        assertContains(exception.message!!, "model.onnx")
    }

    @Test
    fun a_picture_over_either_limit_is_too_large() {
        // 32 × 32 pixels, of three bytes each.
        val limits = mapOf(
            "max_declared_pixels" to Limits(maxDeclaredPixels = 1023u),
            "max_decoded_bytes" to Limits(maxDecodedBytes = 3071u),
        )
        for ((named, limit) in limits) {
            Tiny.open(options = Options(limits = limit)).use { classifier ->
                val exception = assertFailsWith<BedsideException.TooLarge> { classifier.look() }
                assertContains(exception.message!!, named)
            }
        }
        Tiny.open(options = Options(limits = Limits(maxDeclaredPixels = 1024u))).use { it.look() }
    }

    @Test
    fun a_query_is_checked_without_a_picture() {
        Tiny.open().use { classifier ->
            classifier.check(Query())
            assertFailsWith<BedsideException.InvalidQuery> { classifier.check(Query(scoreThreshold = 1.5f)) }
            assertFailsWith<BedsideException.InvalidQuery> { classifier.check(Query(region = Region(0f, 0f, 2f, 1f))) }
            val unasked = Query(answers = mapOf("x" to Answer.No))
            assertFailsWith<BedsideException.InvalidQuery> { classifier.check(unasked) }
        }
    }

    @Test
    fun the_self_test_says_by_whom_and_by_how_much_and_is_nothing_without_any() {
        val (a, b, c) = Tiny.expected
        for ((name, by) in mapOf("lab" to GoldenBy.LAB, "self" to GoldenBy.ITSELF)) {
            val passed = Tiny.open(withGoldenScores("[${a - 0.01f}, ${b + 0.005f}, $c]", name)).use { it.selfTest() }
            assertEquals(by, passed?.by)
            assertEquals(0.01f, passed!!.maxDifference, 1e-4f)
        }
        assertEquals(null, Tiny.open().use { it.selfTest() })
    }

    @Test
    fun text_that_is_no_unicode_is_refused_before_it_crosses() {
        Tiny.open().use { classifier ->
            assertFailsWith<CharacterCodingException> { classifier.look(Query(language = "\ud800")) }
            classifier.look()
        }
    }

    private val photo = Repository.file(Repository.samples.first()).readBytes()

    private fun look(picture: ByteArray) = Tiny.open().use { it.classify(Image.fromBytes(picture)) }

    private fun Classifier.look(query: Query = Query()) = classify(Tiny.picture(), query)

    private fun withGoldenScores(scores: String, by: String = "lab") = Tiny.manifest(
        "golden",
        json("""{"by": "$by", "input": {"image": ${JsonPrimitive(encodedPicture)}}, "scores": $scores}"""),
    )

    private val encodedPicture get() = Base64.getEncoder().encodeToString(Tiny.pictureFile.readBytes())
}
