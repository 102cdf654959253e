// A panic in the library is an error like any other, and the library goes on. Needs one that was built with the feature
// `test-panic`, which no shipped library has.

package dev.bedside

import com.sun.jna.NativeLibrary
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import org.junit.jupiter.api.Assumptions.assumeTrue

class PanicTest {
    private val isAsked = Repository.property("bedside.test.panic").toBoolean()

    @Test
    fun a_panic_is_an_internal_error_and_the_next_call_succeeds() {
        assumeTrue(isAsked, "PANICS ARE NOT TESTED: give a library with test-panic and -Dbedside.test.panic=true")
        val arm = assertNotNull(probe(), "the library lacks bedside_test_panic: build it with the feature test-panic")
        Tiny.open().use { classifier ->
            val picture = Tiny.picture()
            val wanted = classifier.classify(picture).bits
            arm.invokeVoid(emptyArray())
            val exception = assertFailsWith<BedsideException> { classifier.classify(picture) }
            assertEquals(ErrorKind.INTERNAL, exception.kind)
            assertContains(exception.message!!, "provoked for a test")
            assertEquals(wanted, classifier.classify(picture).bits)
            arm.invokeVoid(emptyArray())
            assertFailsWith<BedsideException.Internal> { CancelHandle() }
            CancelHandle().close()
        }
    }

    @Test
    fun a_library_without_the_feature_has_no_switch_for_panics() {
        assumeTrue(!isAsked, "this library has the feature test-panic")
        assertEquals(null, probe())
    }

    private fun probe() = try {
        NativeLibrary.getInstance("bedside").getFunction("bedside_test_panic")
    } catch (_: UnsatisfiedLinkError) {
        null
    }
}
