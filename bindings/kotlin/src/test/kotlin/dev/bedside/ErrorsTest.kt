// Every kind of error reaches Kotlin as that kind. `internal` needs a panic: see PanicTest.

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
    /** For each kind, a part of the message and a call that fails with it. */
    private val provocations: Map<ErrorKind, Pair<String, () -> Any?>> = mapOf(
        ErrorKind.IO to ("no-such.jpg" to { Image.open("no-such.jpg") }),
        ErrorKind.UNSUPPORTED_IMAGE to ("GIF" to { classify("GIF89a".toByteArray() + ByteArray(64)) }),
        ErrorKind.MALFORMED_IMAGE to ("JPEG" to { classify(photo.copyOf(photo.size / 8)) }),
        ErrorKind.TOO_LARGE to ("1024" to {
            TinyModel.open(options = Options(limits = Limits(maxDeclaredPixels = 1023u))).classifyPicture()
        }),
        ErrorKind.MALFORMED_MODEL to ("ONNX" to { Classifier.fromBytes("not a model".toByteArray()) }),
        ErrorKind.UNSUPPORTED_MODEL to ("operator" to {
            Classifier.open(TinyModel.file(graph = "unknown-operator.onnx").path)
        }),
        ErrorKind.INVALID_MANIFEST to ("manifest" to { Classifier.open(TinyModel.file(manifest = null).path) }),
        ErrorKind.INVALID_QUERY to ("`d`" to { TinyModel.open().classifyPicture(Query(allow = listOf("d"))) }),
        ErrorKind.CANCELLED to ("cancelled" to {
            TinyModel.open().classifyPicture(Query(cancel = CancelHandle().apply { cancel() }))
        }),
        ErrorKind.SELF_TEST to ("0.82" to { TinyModel.open(withGoldenScores("[0.82, 0.11, 0.07]")).selfTest() }),
    )

    @TestFactory
    fun error_of_each_kind_names_what_was_wrong() = provocations.map { (kind, provocation) ->
        val (named, provoke) = provocation
        DynamicTest.dynamicTest("$kind") {
            val exception = assertFailsWith<BedsideException> { provoke() }
            assertEquals(kind, exception.kind, exception.message)
            assertContains(exception.message!!, named)
        }
    }

    @Test
    fun error_kinds_are_all_tested() {
        assertEquals(ErrorKind.entries.toSet() - ErrorKind.INTERNAL, provocations.keys)
    }

    @Test
    fun error_class_has_the_kind_of_its_name() {
        val classes = BedsideException::class.sealedSubclasses
        val kinds = classes.associate { it.simpleName!!.snakeCase to it.constructors.single().call("why").kind }
        assertEquals(ErrorKind.entries.associateBy { it.name.lowercase() }, kinds)
    }

    @Test
    fun model_file_over_the_limit_is_too_large() {
        val small = Options(limits = Limits(maxModelBytes = 1000u))
        val exception = assertFailsWith<BedsideException.TooLarge> { TinyModel.open(options = small) }
        assertContains(exception.message!!, "model.onnx")
    }

    @Test
    fun picture_over_either_limit_is_too_large() {
        // 32 × 32 pixels, of three bytes each.
        val limits = mapOf(
            "max_declared_pixels" to Limits(maxDeclaredPixels = 1023u),
            "max_decoded_bytes" to Limits(maxDecodedBytes = 3071u),
        )
        for ((named, limit) in limits) {
            TinyModel.open(options = Options(limits = limit)).use { classifier ->
                val exception = assertFailsWith<BedsideException.TooLarge> { classifier.classifyPicture() }
                assertContains(exception.message!!, named)
            }
        }
        TinyModel.open(options = Options(limits = Limits(maxDeclaredPixels = 1024u))).use { it.classifyPicture() }
    }

    @Test
    fun classifier_check_refuses_invalid_queries() {
        TinyModel.open().use { classifier ->
            classifier.check(Query())
            assertFailsWith<BedsideException.InvalidQuery> { classifier.check(Query(scoreThreshold = 1.5f)) }
            assertFailsWith<BedsideException.InvalidQuery> { classifier.check(Query(region = Region(0f, 0f, 2f, 1f))) }
            val unknownQuestion = Query(answers = mapOf("x" to Answer.No))
            assertFailsWith<BedsideException.InvalidQuery> { classifier.check(unknownQuestion) }
        }
    }

    @Test
    fun self_test_returns_runtime_and_difference_or_null_without_golden_sample() {
        val (a, b, c) = TinyModel.expected
        for ((name, by) in mapOf("lab" to GoldenBy.LAB, "self" to GoldenBy.ITSELF)) {
            val golden = withGoldenScores("[${a - 0.01f}, ${b + 0.005f}, $c]", name)
            val passed = TinyModel.open(golden).use { it.selfTest() }
            assertEquals(by, passed?.by)
            assertEquals(0.01f, passed!!.maxDifference, 1e-4f)
        }
        assertEquals(null, TinyModel.open().use { it.selfTest() })
    }

    @Test
    fun query_with_malformed_unicode_is_refused() {
        TinyModel.open().use { classifier ->
            assertFailsWith<CharacterCodingException> { classifier.classifyPicture(Query(language = "\ud800")) }
            classifier.classifyPicture()
        }
    }

    private val photo = Repository.file(Repository.samples.first()).readBytes()

    private fun classify(file: ByteArray) = TinyModel.open().use { it.classify(Image.fromBytes(file)) }

    private fun Classifier.classifyPicture(query: Query = Query()) = classify(TinyModel.picture(), query)

    private fun withGoldenScores(scores: String, by: String = "lab") = TinyModel.manifest(
        "golden",
        json("""{"by": "$by", "input": {"image": ${JsonPrimitive(encodedPicture)}}, "scores": $scores}"""),
    )

    private val encodedPicture get() = Base64.getEncoder().encodeToString(TinyModel.pictureFile.readBytes())
}
