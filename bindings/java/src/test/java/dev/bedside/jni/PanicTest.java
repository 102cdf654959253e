package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A panic in the library is an error like any other, and the library goes on. */
class PanicTest {
    @Test
    @EnabledIfSystemProperty(
            named = "bedside.test.panic",
            matches = "true",
            disabledReason = "needs a library with the feature test-panic: cargo xtask test runs it")
    void a_panic_is_an_internal_error_and_the_next_call_succeeds() throws Exception {
        try (Classifier classifier = Tiny.open(); Image picture = Tiny.picture()) {
            List<Found> wanted = Found.in(classifier.classify(picture));
            letGoOfTheRest();
            PanicProbe.arm();
            BedsideException error = assertThrows(BedsideException.class, () -> classifier.classify(picture));
            assertEquals(ErrorKind.INTERNAL, error.getKind());
            assertTrue(error.getMessage().contains("provoked for a test"), error.getMessage());
            assertEquals(wanted, Found.in(classifier.classify(picture)));
            PanicProbe.arm();
            assertEquals(ErrorKind.INTERNAL, assertThrows(BedsideException.class, CancelHandle::new).getKind());
            new CancelHandle().close();
        }
    }

    /** Closing what other tests forgot is a call too, and would panic in the place of this test's. */
    private static void letGoOfTheRest() throws InterruptedException {
        System.gc();
        Thread.sleep(500);
    }

    @Test
    @DisabledIfSystemProperty(
            named = "bedside.test.panic", matches = "true", disabledReason = "this library has the feature test-panic")
    void a_library_without_the_feature_has_no_switch_for_panics() throws BedsideException {
        new CancelHandle().close();
        assertThrows(UnsatisfiedLinkError.class, PanicProbe::arm);
    }
}
