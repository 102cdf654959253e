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

/** Every kind of error reaches Java as what it is. {@code INTERNAL} needs a panic: see PanicTest. */
class ErrorsTest {
    /** How a kind is provoked, and what the message names. */
    private record Provocation(ErrorKind kind, String named, Executable provoke) {}

    private static final List<Provocation> PROVOCATIONS = List.of(
            new Provocation(ErrorKind.IO, "no-such.jpg", () -> Image.open("no-such.jpg")),
            new Provocation(ErrorKind.IO, "no-such.onnx", () -> Classifier.open("no-such.onnx")),
            new Provocation(ErrorKind.UNSUPPORTED_IMAGE, "GIF", () -> look(header("GIF89a"))),
            new Provocation(ErrorKind.UNSUPPORTED_IMAGE, "HEIC", () -> look(header("\0\0\0\30ftypheic"))),
            new Provocation(ErrorKind.MALFORMED_IMAGE, "JPEG", () -> look(cutOffPhoto())),
            // The picture has 1024 pixels of three bytes each.
            new Provocation(ErrorKind.TOO_LARGE, "1024", () -> look(limited(Limits.builder().maxDeclaredPixels(1023)))),
            new Provocation(ErrorKind.TOO_LARGE, "max_decoded_bytes", () ->
                    look(limited(Limits.builder().maxDecodedBytes(3071)))),
            new Provocation(ErrorKind.TOO_LARGE, "model.onnx", () -> limited(Limits.builder().maxModelBytes(1000))),
            new Provocation(ErrorKind.MALFORMED_MODEL, "ONNX", () -> Classifier.fromBytes(header("not a model"))),
            new Provocation(ErrorKind.UNSUPPORTED_MODEL, "operator", () ->
                    Classifier.open(Tiny.file("unknown-operator.onnx", Tiny.manifest()))),
            new Provocation(ErrorKind.INVALID_MANIFEST, "manifest", () ->
                    Classifier.open(Tiny.file("torchscript-17.onnx", null))),
            new Provocation(ErrorKind.INVALID_QUERY, "`d`", () -> look(Query.builder().allow(List.of("d")))),
            new Provocation(ErrorKind.CANCELLED, "cancelled", () -> look(Query.builder().cancel(usedHandle()))),
            new Provocation(ErrorKind.SELF_TEST, "0.82", () ->
                    Tiny.open(golden("lab", "[0.82, 0.11, 0.07]")).selfTest()));

    @TestFactory
    Stream<DynamicTest> each_kind_is_provoked_and_its_message_names_what_was_wrong() {
        return PROVOCATIONS.stream().map(provocation -> DynamicTest.dynamicTest(
                provocation.kind + ": " + provocation.named, () -> {
                    BedsideException error = assertThrows(BedsideException.class, provocation.provoke);
                    assertEquals(provocation.kind, error.getKind(), error.getMessage());
                    assertTrue(error.getMessage().contains(provocation.named), error.getMessage());
                }));
    }

    @Test
    void no_kind_is_left_out() {
        Set<ErrorKind> provoked = PROVOCATIONS.stream().map(Provocation::kind).collect(Collectors.toSet());
        assertEquals(EnumSet.complementOf(EnumSet.of(ErrorKind.INTERNAL)), provoked);
    }

    @Test
    void a_query_is_checked_without_a_picture() throws BedsideException {
        try (Classifier classifier = Tiny.open()) {
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
    void the_self_test_says_by_whom_and_by_how_much_and_is_nothing_without_any() throws BedsideException {
        List<Float> scores = List.of(Tiny.EXPECTED.get(0) - 0.01f, Tiny.EXPECTED.get(1) + 0.005f, Tiny.EXPECTED.get(2));
        Map<String, GoldenBy> makers = Map.of("lab", GoldenBy.LAB, "self", GoldenBy.ITSELF);
        for (Map.Entry<String, GoldenBy> maker : makers.entrySet()) {
            try (Classifier classifier = Tiny.open(golden(maker.getKey(), scores.toString()))) {
                SelfTest passed = classifier.selfTest();
                assertEquals(maker.getValue(), passed.getBy());
                assertEquals(0.01f, passed.getMaxDifference(), 1e-4f);
            }
        }
        try (Classifier without = Tiny.open()) {
            assertNull(without.selfTest());
        }
    }

    @Test
    void text_that_is_no_unicode_does_no_harm() throws BedsideException {
        try (Classifier classifier = Tiny.open()) {
            classifier.classify(Tiny.picture(), Query.builder().language("\ud800").build());
            Query query = Query.builder().allow(List.of("\udfff")).build();
            assertEquals(ErrorKind.INVALID_QUERY, kindOf(() -> classifier.check(query)));
            assertEquals(ErrorKind.IO, kindOf(() -> Image.open("no\0such")));
        }
    }

    private static ErrorKind kindOf(Executable call) {
        return assertThrows(BedsideException.class, call).getKind();
    }

    private static void look(byte[] file) throws BedsideException {
        try (Classifier classifier = Tiny.open(); Image image = Image.fromBytes(file)) {
            classifier.classify(image);
        }
    }

    private static void look(Query.Builder query) throws BedsideException {
        try (Classifier classifier = Tiny.open()) {
            classifier.classify(Tiny.picture(), query.build());
        }
    }

    private static void look(Classifier classifier) throws BedsideException {
        try (classifier) {
            classifier.classify(Tiny.picture());
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
        return Tiny.open(Options.builder().limits(limits.build()).build());
    }

    private static CancelHandle usedHandle() throws BedsideException {
        CancelHandle handle = new CancelHandle();
        handle.cancel();
        return handle;
    }

    /** A model whose golden sample has these scores, by this maker. */
    private static JsonObject golden(String maker, String scores) {
        String picture = Base64.getEncoder().encodeToString(Repository.bytes(Tiny.PICTURE));
        return Tiny.manifest("golden", """
                {"by": "%s", "input": {"image": "%s"}, "scores": %s}
                """.formatted(maker, picture, scores));
    }
}
