package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

/** Every kind of error reaches Java as that kind. {@code INTERNAL} needs a panic: see PanicTest. */
class ErrorsTest {
    /** A call that fails with this kind, and a part of its message. */
    private record Provocation(ErrorKind kind, String named, Executable provoke) {}

    private static final List<Provocation> PROVOCATIONS = List.of(
            new Provocation(ErrorKind.IO, "no-such.jpg", () -> Image.open("no-such.jpg")),
            new Provocation(ErrorKind.IO, "no-such.onnx", () -> Classifier.open("no-such.onnx")),
            new Provocation(ErrorKind.UNSUPPORTED_IMAGE, "GIF", () -> classify(header("GIF89a"))),
            new Provocation(ErrorKind.UNSUPPORTED_IMAGE, "HEIC", () -> classify(header("\0\0\0\30ftypheic"))),
            new Provocation(ErrorKind.MALFORMED_IMAGE, "JPEG", () -> classify(cutOffPhoto())),
            // The picture has 1024 pixels of three bytes each.
            new Provocation(ErrorKind.TOO_LARGE, "1024", () ->
                    classify(limited(Limits.builder().maxDeclaredPixels(1023)))),
            new Provocation(ErrorKind.TOO_LARGE, "max_decoded_bytes", () ->
                    classify(limited(Limits.builder().maxDecodedBytes(3071)))),
            new Provocation(ErrorKind.TOO_LARGE, "model.onnx", () -> limited(Limits.builder().maxModelBytes(1000))),
            new Provocation(ErrorKind.MALFORMED_MODEL, "ONNX", () -> Classifier.fromBytes(header("not a model"))),
            new Provocation(ErrorKind.UNSUPPORTED_MODEL, "operator", () ->
                    Classifier.open(TinyModel.file("unknown-operator.onnx", TinyModel.manifest()))),
            new Provocation(ErrorKind.INVALID_MANIFEST, "manifest", () ->
                    Classifier.open(TinyModel.file("torchscript-17.onnx", null))),
            new Provocation(ErrorKind.INVALID_QUERY, "`d`", () -> classify(Query.builder().allow(List.of("d")))),
            new Provocation(ErrorKind.CANCELLED, "cancelled", () -> classify(Query.builder().cancel(usedHandle()))),
            new Provocation(ErrorKind.SELF_TEST, "0.82", () ->
                    TinyModel.open(golden("lab", "[0.82, 0.11, 0.07]")).selfTest()));

    @TestFactory
    Stream<DynamicTest> error_of_each_kind_names_what_was_wrong() {
        return PROVOCATIONS.stream().map(provocation -> DynamicTest.dynamicTest(
                provocation.kind + ": " + provocation.named, () -> {
                    BedsideException error = assertThrows(BedsideException.class, provocation.provoke);
                    assertEquals(provocation.kind, error.getKind(), error.getMessage());
                    assertTrue(error.getMessage().contains(provocation.named), error.getMessage());
                }));
    }

    @Test
    void error_kinds_are_all_tested() {
        Set<ErrorKind> provoked = PROVOCATIONS.stream().map(Provocation::kind).collect(Collectors.toSet());
        assertEquals(EnumSet.complementOf(EnumSet.of(ErrorKind.INTERNAL)), provoked);
    }

    @Test
    void classifier_check_refuses_invalid_queries() throws BedsideException {
        try (Classifier classifier = TinyModel.open()) {
            classifier.check(Query.builder().build());
            Map<String, Query.Builder> wrong = Map.of(
                    "allow", Query.builder().allow(List.of("d")),
                    "deny", Query.builder().deny(List.of("d")),
                    "score_threshold", Query.builder().scoreThreshold(Float.NaN),
                    "max_results is -1", Query.builder().maxResults(-1),
                    "region", Query.builder().region(new Region(0, 0, 2, 1)),
                    "prevalence", Query.builder().prevalence(Map.of("a", 1f, "b", 0f, "c", 0f)),
                    "no question `pregnant`", Query.builder().answer("pregnant", Answer.YES));
            wrong.forEach((named, query) -> {
                BedsideException error = assertThrows(BedsideException.class, () -> classifier.check(query.build()));
                assertEquals(ErrorKind.INVALID_QUERY, error.getKind());
                assertTrue(error.getMessage().contains(named), error.getMessage());
            });
        }
    }

    @Test
    void self_test_returns_runtime_and_difference_or_null_without_golden_sample() throws BedsideException {
        List<Float> expected = TinyModel.EXPECTED;
        List<Float> scores = List.of(expected.get(0) - 0.01f, expected.get(1) + 0.005f, expected.get(2));
        Map<String, GoldenBy> runtimes = Map.of("lab", GoldenBy.LAB, "self", GoldenBy.ITSELF);
        for (Map.Entry<String, GoldenBy> runtime : runtimes.entrySet()) {
            try (Classifier classifier = TinyModel.open(golden(runtime.getKey(), scores.toString()))) {
                SelfTest passed = classifier.selfTest();
                assertEquals(runtime.getValue(), passed.getBy());
                assertEquals(0.01f, passed.getMaxDifference(), 1e-4f);
            }
        }
        try (Classifier without = TinyModel.open()) {
            assertNull(without.selfTest());
        }
    }

    @Test
    void query_with_malformed_unicode_does_not_crash() throws BedsideException {
        try (Classifier classifier = TinyModel.open()) {
            classifier.classify(TinyModel.picture(), Query.builder().language("\ud800").build());
            Query query = Query.builder().allow(List.of("\udfff")).build();
            assertEquals(ErrorKind.INVALID_QUERY, kindOf(() -> classifier.check(query)));
            assertEquals(ErrorKind.IO, kindOf(() -> Image.open("no\0such")));
        }
    }

    private static ErrorKind kindOf(Executable call) {
        return assertThrows(BedsideException.class, call).getKind();
    }

    private static void classify(byte[] file) throws BedsideException {
        try (Classifier classifier = TinyModel.open(); Image image = Image.fromBytes(file)) {
            classifier.classify(image);
        }
    }

    private static void classify(Query.Builder query) throws BedsideException {
        try (Classifier classifier = TinyModel.open()) {
            classifier.classify(TinyModel.picture(), query.build());
        }
    }

    private static void classify(Classifier classifier) throws BedsideException {
        try (classifier) {
            classifier.classify(TinyModel.picture());
        }
    }

    private static byte[] header(String start) {
        return Arrays.copyOf(start.getBytes(StandardCharsets.US_ASCII), 64);
    }

    private static byte[] cutOffPhoto() {
        byte[] photo = Repository.bytes(Repository.samples().get(0));
        return Arrays.copyOf(photo, photo.length / 8);
    }

    private static Classifier limited(Limits.Builder limits) throws BedsideException {
        return TinyModel.open(Options.builder().limits(limits.build()).build());
    }

    private static CancelHandle usedHandle() throws BedsideException {
        CancelHandle handle = new CancelHandle();
        handle.cancel();
        return handle;
    }

    /** A manifest whose golden sample has these scores, measured by this runtime. */
    private static JsonObject golden(String runtime, String scores) {
        String picture = Base64.getEncoder().encodeToString(Repository.bytes(TinyModel.PICTURE));
        return TinyModel.manifest("golden", """
                {"by": "%s", "input": {"image": "%s"}, "scores": %s}
                """.formatted(runtime, picture, scores));
    }
}
