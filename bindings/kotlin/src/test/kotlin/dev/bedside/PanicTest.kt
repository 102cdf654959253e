// A panic in the library becomes an error, and the library stays usable. The test needs a library that was built with
// the feature `test-panic`, which no shipped library has.

package dev.bedside

import com.sun.jna.NativeLibrary
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotNull
import org.junit.jupiter.api.Assumptions.assumeTrue

class PanicTest {
    private val hasTestPanic = Repository.property("bedside.test.panic").toBoolean()

    @Test
    fun panic_is_an_internal_error_and_the_next_call_succeeds() {
        assumeTrue(hasTestPanic, "PANICS ARE NOT TESTED: give a library with test-panic and -Dbedside.test.panic=true")
        val arm = assertNotNull(probe(), "the library lacks bedside_test_panic: build it with the feature test-panic")
        TinyModel.open().use { classifier ->
            val picture = TinyModel.picture()
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
    fun library_without_test_panic_has_no_panic_probe() {
        assumeTrue(!hasTestPanic, "this library has the feature test-panic")
        assertEquals(null, probe())
    }

    private fun probe() = try {
        NativeLibrary.getInstance("bedside").getFunction("bedside_test_panic")
    } catch (_: UnsatisfiedLinkError) {
        null
    }
}
