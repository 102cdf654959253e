package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledIfSystemProperty;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** A panic in the library becomes an error, and the library stays usable. */
class PanicTest {
    @Test
    @EnabledIfSystemProperty(
            named = "bedside.test.panic",
            matches = "true",
            disabledReason = "needs a library with the feature test-panic: cargo xtask test runs it")
    void panic_is_an_internal_error_and_the_next_call_succeeds() throws Exception {
        try (Classifier classifier = TinyModel.open(); Image picture = TinyModel.picture()) {
            List<FindingValue> wanted = FindingValue.of(classifier.classify(picture));
            closeCollectedObjects();
            PanicProbe.arm();
            BedsideException error = assertThrows(BedsideException.class, () -> classifier.classify(picture));
            assertEquals(ErrorKind.INTERNAL, error.getKind());
            assertTrue(error.getMessage().contains("provoked for a test"), error.getMessage());
            assertEquals(wanted, FindingValue.of(classifier.classify(picture)));
            PanicProbe.arm();
            assertEquals(ErrorKind.INTERNAL, assertThrows(BedsideException.class, CancelHandle::new).getKind());
            new CancelHandle().close();
        }
    }

    /** Closes what other tests did not close, because that call would panic instead of this test's. */
    private static void closeCollectedObjects() throws InterruptedException {
        System.gc();
        Thread.sleep(500);
    }

    @Test
    @DisabledIfSystemProperty(
            named = "bedside.test.panic", matches = "true", disabledReason = "this library has the feature test-panic")
    void library_without_test_panic_has_no_panic_probe() throws BedsideException {
        new CancelHandle().close();
        assertThrows(UnsatisfiedLinkError.class, PanicProbe::arm);
    }
}
