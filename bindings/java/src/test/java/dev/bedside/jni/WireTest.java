package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Compares requests and replies with the samples of {@code bindings/wire.txt}, as {@code bindings/src/java/samples.rs}
 * does for Rust. The protocol number is a hash of that file.
 */
class WireTest {
    private static final byte[] FILE = Repository.bytes("bindings/wire.txt");
    private static final Map<String, Map<String, String>> SAMPLES = new LinkedHashMap<>();

    static {
        new String(FILE, StandardCharsets.UTF_8).lines().map(line -> line.split(" ", 3)).forEach(
                line -> SAMPLES.computeIfAbsent(line[0], kind -> new LinkedHashMap<>()).put(line[1], line[2]));
    }

    @Test
    void protocol_number_is_the_hash_of_the_samples() {
        int hash = 0x811c9dc5;
        for (byte value : FILE) {
            hash = value == '\r' ? hash : (hash ^ (value & 0xff)) * 0x01000193;
        }
        assertEquals(hash, Native.PROTOCOL, String.format("write 0x%08x into Native.java", hash));
        assertEquals(Native.PROTOCOL, Native.protocol());
    }

    @Test
    void native_methods_equal_those_of_the_samples() {
        Map<String, String> methods = Arrays.stream(Native.class.getDeclaredMethods())
                .filter(method -> Modifier.isNative(method.getModifiers()) || method.getName().equals("log"))
                .collect(Collectors.toMap(Method::getName, WireTest::descriptor));
        assertEquals(SAMPLES.get("method"), methods);
    }

    private static String descriptor(Method method) {
        return MethodType.methodType(method.getReturnType(), method.getParameterTypes()).toMethodDescriptorString();
    }

    @Test
    void enum_constants_equal_those_of_the_samples() {
        Map<String, String> names = Stream.of(
                        ErrorKind.values(), ReasonKind.values(), WarningKind.values(), Triage.values(), DecidedBy.values(),
                        QuestionRole.values(), Source.values(), ExplainMethod.values(), LogLevel.values(),
                        Rotation.values(), YuvMatrix.values(), YuvRange.values())
                .collect(Collectors.toMap(constants -> constants[0].getClass().getSimpleName(), WireTest::named));
        names.put("Verdict", named(Verdict.Kind.values()));
        Map<String, String> wanted = new LinkedHashMap<>(SAMPLES.get("names"));
        List<GoldenBy> by = Stream.of(wanted.remove("GoldenBy").split(" ")).map(GoldenBy::named).toList();
        assertEquals(List.of(GoldenBy.values()), by);
        assertEquals(wanted, names);
    }

    private static String named(Enum<?>[] constants) {
        return Arrays.stream(constants)
                .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                .collect(Collectors.joining(" "));
    }

    private static void assertRequest(String name, byte[] found) {
        assertEquals(SAMPLES.get("request").get(name), HexFormat.of().formatHex(found), name);
    }

    @Test
    void requests_are_written_as_rust_reads_them() throws BedsideException {
        Limits limits = Limits.builder().maxDeclaredPixels(3).maxDecodedBytes(4).maxModelBytes(5).build();
        assertRequest("options", Options.builder().threads(2).limits(limits).build().write(new Request()).toBytes());
        assertRequest("path", Request.of("m.onnx"));
        Map<String, Float> prevalence = new LinkedHashMap<>();
        prevalence.put("a", 0.75f);
        prevalence.put("b", 0.25f);
        Query.Builder query = Query.builder()
                .maxResults(7)
                .scoreThreshold(0.25f)
                .allow(List.of("a", "б"))
                .deny(List.of("c"))
                .language("uk")
                .region(new Region(0.125f, 0.25f, 0.5f, 0.375f))
                .prevalence(prevalence)
                .answer("q", Answer.YES)
                .answer("r", Answer.NO)
                .answer("s", Answer.number(4.5))
                .source(Source.FILE)
                .refusals(3)
                .explain(Explain.by(ExplainMethod.OCCLUSION).label("a"));
        assertRequest("query", query.build().toBytes());
        assertRequest("query_default", Query.DEFAULT.toBytes());
        try (CancelHandle handle = new CancelHandle()) {
            // The library chooses the number, so the sample's number replaces it.
            byte[] cancelled = Query.builder().cancel(handle).build().toBytes();
            ByteBuffer number = ByteBuffer.wrap(cancelled, cancelled.length - Long.BYTES, Long.BYTES);
            assertEquals(handle.number(), number.mark().getLong());
            number.reset();
            number.putLong(0x0102030405060708L);
            assertRequest("query_cancel", cancelled);
        }
    }

    @Test
    void frames_are_written_as_rust_reads_them() {
        assertRequest("frame_encoded", FrameFormat.encoded().rotated(Rotation.CLOCKWISE90).toBytes());
        assertRequest("frame_rgb8", FrameFormat.rgb8(2, 3, 16).mirrored().toBytes());
        assertRequest("frame_rgba8", FrameFormat.rgba8(2, 3, 16).toBytes());
        assertRequest("frame_bgra8", FrameFormat.bgra8(2, 3, 16).toBytes());
        assertRequest("frame_gray8", FrameFormat.gray8(2, 3, 16).rotated(Rotation.CLOCKWISE180).toBytes());
        YuvStrides strides = new YuvStrides(11, 12, 13, 14, 15, 16);
        FrameFormat full = FrameFormat.yuv420(9, 10, strides, YuvMatrix.BT709, YuvRange.FULL);
        assertRequest("frame_yuv420", full.rotated(Rotation.CLOCKWISE270).mirrored().toBytes());
        FrameFormat limited = FrameFormat.yuv420(9, 10, strides, YuvMatrix.BT601, YuvRange.LIMITED);
        assertRequest("frame_yuv420_limited", limited.toBytes());
    }

    /** A reply of the samples, with the texts at its end that the sample leaves out. */
    private static byte[] reply(String name, String... rest) {
        byte[] sample = HexFormat.of().parseHex(SAMPLES.get("reply").get(name));
        Request whole = new Request().bytes(sample);
        Stream.of(rest).forEach(whole::string);
        return whole.toBytes();
    }

    private static Reply read(String name, String... rest) throws BedsideException {
        return Reply.of(reply(name, rest));
    }

    @Test
    void replies_are_read_as_rust_writes_them() throws BedsideException {
        assertNotNull(read("done"));
        BedsideException failed = assertThrows(BedsideException.class, () -> read("failed"));
        assertEquals(ErrorKind.TOO_LARGE, failed.getKind());
        assertEquals("the picture", failed.getMessage());
        assertEquals(
                "the image is closed", assertThrows(IllegalStateException.class, () -> read("closed")).getMessage());
        assertEquals(0x0102030405060708L, read("handle").handle());
        assertEquals(true, read("flag").flag());
        assertArrayEquals(new byte[] {'P', 'N', 'G'}, read("file").file());
        assertEquals(List.of(0.75f, 0.25f), read("scores").list(Reply::float32));
        assertNull(read("self_test_none").optional(SelfTest::new));
        SelfTest passed = read("self_test").optional(SelfTest::new);
        assertEquals(GoldenBy.ITSELF, passed.getBy());
        assertEquals(0.0078125f, passed.getMaxDifference());
        assertIdentity(new ModelIdentity(read("identity")));
        LoadTimes times = new LoadTimes(read("load_times"));
        assertArrayEquals(
                new double[] {1.5, 2.5, 3.5}, new double[] {times.getRead(), times.getImport(), times.getOptimize()});
    }

    private static void assertIdentity(ModelIdentity model) {
        assertEquals(
                List.of("tiny", "1.2", "abc"), List.of(model.getName(), model.getVersion(), model.getGraphSha256()));
    }

    @Test
    void reports_are_read_as_rust_writes_them() throws BedsideException {
        Report report = new Report(read("report", "words", "{}"));
        assertEquals(Verdict.Kind.SEVERAL, report.getVerdict().getKind());
        assertEquals(
                List.of("a Label A REFER", "b Label B NO_SIGN"),
                report.getVerdict().getLabels().stream()
                        .map(l -> l.getId() + " " + l.getName() + " " + l.getLevel())
                        .toList());
        assertEquals(List.of(), report.getVerdict().getReasons());
        assertEquals(List.of("summary", "advice"), List.of(report.getSummary(), report.getAdvice()));
        assertEquals(Triage.URGENT, report.getTriage());
        assertEquals(DecidedBy.DANGER, report.getDecidedBy());
        assertEquals(
                List.of("bleeds Does it bleed? URGENT"),
                report.getDanger().stream()
                        .map(s -> s.getId() + " " + s.getQuestion() + " " + s.getLevel())
                        .toList());
        assertEquals(
                List.of("a Label A 0.75 0.5 true", "b Label B 0.25 0.375 false"),
                report.getFindings().stream()
                        .map(f -> String.join(
                                " ",
                                f.getLabel(),
                                f.getName(),
                                Float.toString(f.getProbability()),
                                Float.toString(f.getOperatingPoint()),
                                Boolean.toString(f.isOverOperatingPoint())))
                        .toList());
        Quality quality = report.getQuality();
        assertEquals(
                List.of(0.5f, 0.25f, 0.125f, 0.375f, 0.0625f, 2f),
                List.of(
                        quality.getFocus(), quality.getDark(), quality.getBright(), quality.getContrast(),
                        quality.getColor(), quality.getSize()));
        Warning warning = report.getWarnings().get(0);
        assertEquals(List.of(WarningKind.OVERLAY, "marks"), List.of(warning.getKind(), warning.getMessage()));
        Geometry geometry = report.getGeometry();
        assertEquals(List.of(8, 6), List.of(geometry.getPictureWidth(), geometry.getPictureHeight()));
        assertEquals(
                List.of(0.0, 1.0, 8.0, 5.0),
                List.of(geometry.getLeft(), geometry.getTop(), geometry.getRight(), geometry.getBottom()));
        assertArrayEquals(new double[] {0.5, 0.25}, geometry.getSpacingMm());
        assertTrue(geometry.isSpacingAtDetector());
        Novelty novelty = report.getNovelty();
        assertEquals(
                List.of(1.5f, 2f, 2.5f), List.of(novelty.getValue(), novelty.getSoft(), novelty.getHard()));
        assertHeatmap(report.getHeatmap());
        assertRest(report);

        Report rejected = new Report(read("report_rejected", "words", "{}"));
        assertEquals(Verdict.Kind.REJECTED, rejected.getVerdict().getKind());
        assertEquals(List.of(), rejected.getVerdict().getLabels());
        assertReasons(rejected.getVerdict().getReasons());
        assertEquals(Triage.UNASSESSED, rejected.getTriage());
        assertEquals(DecidedBy.SCOPE, rejected.getDecidedBy());
        assertEquals(List.of(), rejected.getDanger());
        assertEquals(List.of(), rejected.getFindings());
        assertNull(rejected.getQuality());
        assertNull(rejected.getNovelty());
        assertNull(rejected.getGeometry());
        assertTrue(rejected.getWarnings().isEmpty());
        assertNull(rejected.getHeatmap());
        assertRest(rejected);
        assertReasons(read("reasons").list(Reason::new));
    }

    private static void assertHeatmap(Heatmap heatmap) {
        assertEquals("a", heatmap.getLabel());
        assertEquals(ExplainMethod.OCCLUSION, heatmap.getMethod());
        assertEquals(2, heatmap.getWidth());
        assertEquals(1, heatmap.getHeight());
        assertEquals(List.of(0.5f, -0.25f), heatmap.getValues());
        assertArrayEquals(new double[] {4, 0.5, 0, 0.25, 2, -2}, heatmap.getFrame());
        assertArrayEquals(new int[] {8, 6}, heatmap.getPicture());
        assertArrayEquals(new double[] {0, 1, 8, 5}, heatmap.getSeen());
        assertEquals(0.5f, heatmap.getMax());
        assertEquals(true, heatmap.isEvidence());
        assertRequest("heatmap", heatmap.toBytes());
    }

    private static void assertRest(Report report) {
        Timings times = report.getTimingsMs();
        assertEquals(
                List.of(1.0, 2.0, 3.0, 4.0, 10.0),
                List.of(
                        times.getDecode(), times.getPreprocess(), times.getEngine(), times.getVerdict(),
                        times.getTotal()));
        assertIdentity(report.getModel());
        RuntimeIdentity runtime = report.getRuntime();
        assertEquals(
                List.of("runtime", "4.5", "notice", "words", "{}"),
                List.of(
                        runtime.getName(), runtime.getVersion(), report.getNotice(), report.getText(),
                        report.getJson()));
    }

    private static void assertReasons(List<Reason> reasons) {
        assertEquals(
                List.of("SCOPE_NO age How old? ask again", "SCOPE_UNANSWERED null null x"),
                reasons.stream()
                        .map(r -> r.getKind() + " " + r.getId() + " " + r.getQuestion() + " " + r.getMessage())
                        .toList());
    }

    @Test
    void manifest_is_read_as_rust_writes_it() throws BedsideException {
        Manifest manifest = new Manifest(read("manifest", "{}"));
        assertEquals(
                List.of("tiny", "1.2", "CC0-1.0", "Назва", "use", "not", "{}"),
                List.of(
                        manifest.getName(), manifest.getVersion(), manifest.getLicense(), manifest.getTitle(),
                        manifest.getIntendedUse(), manifest.getNotFor(), manifest.getJson()));
        assertEquals(
                List.of("none", "not assessed", "look", "look soon"),
                Stream.of(Triage.values()).map(manifest::getAdvice).toList());
        assertEquals(
                List.of(
                        "age How old? SCOPE null true 1.0 null", "sex sex SCOPE null false null 5.5",
                        "bleeds bleeds DANGER URGENT false null null"),
                manifest.getScope().stream()
                        .map(q -> q.getId() + " " + q.getQuestion() + " " + q.getRole() + " " + q.getLevel() + " "
                                + q.isRequired() + " " + q.getMin() + " " + q.getMax())
                        .toList());
        assertEquals(
                List.of("a Мітка А 0.375 URGENT", "b Label B null NO_SIGN", "c Label C null REFER"),
                described(manifest.getLabels()));
        assertEquals(List.of("a Мітка А 0.375 URGENT", "bc Група 0.25 REFER"), described(manifest.getShownLabels()));
    }

    private static List<String> described(List<Label> labels) {
        return labels.stream()
                .map(l -> l.getId() + " " + l.getName() + " " + l.getOperatingPoint() + " " + l.getTriage())
                .toList();
    }
}
