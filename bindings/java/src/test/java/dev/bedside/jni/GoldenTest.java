package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Java's results equal Rust's, bit for bit. */
class GoldenTest {
    private static final Query QUERY =
            Query.builder().answer("dermatoscope", Answer.YES).answer("mole_like", Answer.YES).build();

    private static final List<String> SAMPLES = Repository.samples();
    private static final List<Report> REPORTS = new ArrayList<>();

    /** The reports of the command, which is a Rust program built from the same sources. */
    private static final List<JsonObject> WANTED = new ArrayList<>();

    @BeforeAll
    static void classify_each_sample_in_java_and_by_command() throws BedsideException {
        List<String> command = new ArrayList<>(List.of("classify"));
        command.addAll(SAMPLES);
        command.addAll(List.of("--model", Repository.MODEL, "--json"));
        command.addAll(List.of("--answer", "dermatoscope=yes", "--answer", "mole_like=yes"));
        Repository.command(command.toArray(String[]::new)).lines().map(Repository::json).forEach(WANTED::add);
        try (Classifier classifier = Repository.openModel()) {
            for (String sample : SAMPLES) {
                REPORTS.add(classifier.classify(Repository.openImage(sample), QUERY));
            }
        }
    }

    @Test
    void samples_are_six() {
        assertEquals(6, SAMPLES.size());
        assertEquals(6, WANTED.size());
    }

    @Test
    void library_is_loaded_from_the_named_folder() throws Exception {
        Path named = Path.of(Repository.property("bedside.library.dir"), "libbedside.so").toRealPath();
        List<String> loaded = Files.readAllLines(Path.of("/proc/self/maps"));
        assertTrue(loaded.stream().anyMatch(mapped -> mapped.endsWith(" " + named)), named + " is not loaded");
    }

    @Test
    void report_findings_equal_the_commands_bit_for_bit() {
        for (int i = 0; i < SAMPLES.size(); i++) {
            assertEquals(FindingValue.of(WANTED.get(i)), FindingValue.of(REPORTS.get(i)), SAMPLES.get(i));
        }
    }

    @Test
    void report_json_equals_the_commands_except_for_times() {
        for (int i = 0; i < SAMPLES.size(); i++) {
            JsonObject wanted = WANTED.get(i).deepCopy();
            assertEquals(SAMPLES.get(i), wanted.remove("image").getAsString());
            assertEquals(withoutTimes(wanted), withoutTimes(Repository.json(REPORTS.get(i).getJson())));
        }
    }

    @Test
    void report_fields_equal_the_commands_json() {
        for (int i = 0; i < SAMPLES.size(); i++) {
            JsonObject wanted = WANTED.get(i);
            Report report = REPORTS.get(i);
            JsonObject verdict = wanted.getAsJsonObject("verdict");
            assertEquals(verdict.get("kind").getAsString(), lower(report.getVerdict().getKind()));
            List<LabelName> labels = report.getVerdict().getLabels();
            assertEquals(strings(verdict.get("labels")), labels.stream().map(LabelName::getId).toList());
            assertEquals(strings(verdict.get("names")), labels.stream().map(LabelName::getName).toList());
            assertEquals(strings(verdict.get("levels")), labels.stream().map(l -> lower(l.getLevel())).toList());
            assertEquals(List.of(), report.getVerdict().getReasons());
            assertEquals(wanted.get("summary").getAsString(), report.getSummary());
            assertEquals(wanted.get("triage").getAsString(), lower(report.getTriage()));
            assertEquals(wanted.get("decided_by").getAsString(), lower(report.getDecidedBy()));
            assertEquals(List.of(), report.getDanger());
            assertEquals(wanted.get("advice").getAsString(), report.getAdvice());
            assertQuality(wanted.getAsJsonObject("quality"), report.getQuality());
            assertEquals(wanted.get("notice").getAsString(), report.getNotice());
            JsonObject model = wanted.getAsJsonObject("model");
            assertEquals(model.get("name").getAsString(), report.getModel().getName());
            assertEquals(model.get("version").getAsString(), report.getModel().getVersion());
            assertEquals(model.get("graph_sha256").getAsString(), report.getModel().getGraphSha256());
            JsonObject runtime = wanted.getAsJsonObject("runtime");
            assertEquals(runtime.get("name").getAsString(), report.getRuntime().getName());
            assertEquals(runtime.get("version").getAsString(), report.getRuntime().getVersion());
        }
    }

    private static void assertQuality(JsonObject wanted, Quality found) {
        assertEquals(wanted.get("focus").getAsFloat(), found.getFocus());
        assertEquals(wanted.get("dark").getAsFloat(), found.getDark());
        assertEquals(wanted.get("bright").getAsFloat(), found.getBright());
        assertEquals(wanted.get("contrast").getAsFloat(), found.getContrast());
        assertEquals(wanted.get("color").getAsFloat(), found.getColor());
        assertEquals(wanted.get("size").getAsFloat(), found.getSize());
    }

    @Test
    void report_times_equal_those_of_its_json() {
        for (Report report : REPORTS) {
            JsonObject times = Repository.json(report.getJson()).getAsJsonObject("timings_ms");
            Timings found = report.getTimingsMs();
            double rounding = 0.00051;
            assertEquals(times.get("decode").getAsDouble(), found.getDecode(), rounding);
            assertEquals(times.get("preprocess").getAsDouble(), found.getPreprocess(), rounding);
            assertEquals(times.get("engine").getAsDouble(), found.getEngine(), rounding);
            assertEquals(times.get("verdict").getAsDouble(), found.getVerdict(), rounding);
            assertEquals(times.get("total").getAsDouble(), found.getTotal(), rounding);
            assertTrue(found.getTotal() >= found.getDecode() + found.getPreprocess() + found.getEngine());
        }
    }

    @Test
    void report_to_string_is_its_text() {
        for (Report report : REPORTS) {
            assertEquals(report.getText(), report.toString());
            assertTrue(report.getText().endsWith(report.getNotice()));
        }
    }

    @Test
    void classifier_from_bytes_gives_the_files_findings() throws BedsideException {
        try (Classifier classifier = Classifier.fromBytes(Repository.bytes(Repository.MODEL))) {
            Report report = classifier.classify(Repository.openImage(SAMPLES.get(0)), QUERY);
            assertEquals(FindingValue.of(WANTED.get(0)), FindingValue.of(report));
            assertEquals(REPORTS.get(0).getModel().getGraphSha256(), classifier.identity().getGraphSha256());
        }
    }

    @Test
    void image_from_bytes_gives_the_files_findings() throws BedsideException {
        try (Classifier classifier = Repository.openModel()) {
            Image image = Image.fromBytes(Repository.bytes(SAMPLES.get(0)));
            assertEquals(FindingValue.of(WANTED.get(0)), FindingValue.of(classifier.classify(image, QUERY)));
        }
    }

    @Test
    void classifier_scores_equal_onnx_runtimes() throws BedsideException {
        try (Classifier classifier = TinyModel.open()) {
            List<Float> scores = classifier.scores(TinyModel.picture());
            assertEquals(TinyModel.EXPECTED.size(), scores.size());
            for (int i = 0; i < scores.size(); i++) {
                assertEquals(TinyModel.EXPECTED.get(i), scores.get(i), 1e-4f);
            }
        }
    }

    @Test
    void classifier_scores_do_not_depend_on_threads() throws BedsideException {
        Options threads = Options.builder().threads(4).build();
        try (Classifier one = TinyModel.open(); Classifier four = TinyModel.open(threads)) {
            assertEquals(one.scores(TinyModel.picture()), four.scores(TinyModel.picture()));
        }
    }

    private static JsonObject withoutTimes(JsonObject report) {
        report.remove("timings_ms");
        return report;
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static List<String> strings(JsonElement array) {
        JsonArray strings = array.getAsJsonArray();
        return StreamSupport.stream(strings.spliterator(), false).map(JsonElement::getAsString).toList();
    }
}
