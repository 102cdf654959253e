package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Every field of a query and of a manifest crosses the border unchanged. */
class QueryTest {
    private static final Query PLAIN = Query.builder().build();
    private static final String SCOPE = """
            [{"id": "dermatoscope", "question": {"en": "Through a dermatoscope?", "uk": "Через дерматоскоп?"},
              "required": true}, {"id": "age", "min": 18}]""";

    private final Classifier classifier = TinyModel.open();
    private final Image picture = TinyModel.picture();

    QueryTest() throws BedsideException {}

    @Test
    void query_lists_and_thresholds_choose_the_findings() throws BedsideException {
        assertEquals(List.of("a", "b", "c"), labels(PLAIN));
        assertEquals(List.of("a"), labels(Query.builder().maxResults(1).build()));
        assertEquals(List.of(), labels(Query.builder().maxResults(0).build()));
        assertEquals(List.of("a", "b"), labels(Query.builder().scoreThreshold(0.09f).build()));
        assertEquals(List.of("b", "c"), labels(Query.builder().allow(List.of("c", "b")).build()));
        assertEquals(List.of("b", "c"), labels(Query.builder().deny(List.of("a")).build()));
    }

    @Test
    void default_query_gives_all_labels_in_english_with_onnx_runtimes_probabilities() throws BedsideException {
        classifier.warmUp();
        List<Finding> findings = classifier.classify(picture).getFindings();
        assertEquals(List.of("Label A", "Label B", "Label C"), findings.stream().map(Finding::getName).toList());
        for (int i = 0; i < findings.size(); i++) {
            assertEquals(TinyModel.EXPECTED.get(i), findings.get(i).getProbability(), 1e-4f);
        }
    }

    @Test
    void query_language_falls_back_to_english() throws BedsideException {
        Report report = classifier.classify(picture, Query.builder().language("uk-UA").build());
        List<String> names = report.getFindings().stream().map(Finding::getName).toList();
        assertEquals(List.of("Мітка А", "Label B", "Label C"), names);
        assertTrue(report.getText().contains("Мітка А"));
    }

    @Test
    void query_region_gives_the_cropped_pictures_findings() throws BedsideException {
        Pixels photo = Pixels.ppm("tests/golden/image/yuv/bt601-full.ppm");
        Pixels whole = photo.rearranged(32, 20, (x, y) -> new int[] {x, y});
        Pixels part = photo.rearranged(20, 8, (x, y) -> new int[] {x + 8, y + 10});
        Query region = Query.builder().region(new Region(0.25f, 0.5f, 0.625f, 0.4f)).build();
        FrameFormat cropped = FrameFormat.rgb8(20, 8, 60);
        FrameFormat uncropped = FrameFormat.rgb8(32, 20, 96);
        List<FindingValue> wanted = FindingValue.of(classifier.classifyFrame(part.buffer(), cropped));
        assertEquals(wanted, FindingValue.of(classifier.classifyFrame(whole.buffer(), uncropped, region)));
        assertNotEquals(wanted, FindingValue.of(classifier.classifyFrame(whole.buffer(), uncropped)));
    }

    @Test
    void query_prevalence_reweights_findings_and_not_the_verdict() throws BedsideException {
        String hash = classifier.identity().getGraphSha256();
        String calibration = "{\"graph_sha256\": \"" + hash + "\", \"prevalence\": [0.5, 0.25, 0.25]}";
        Query query = Query.builder().prevalence(Map.of("a", 0.01f, "b", 0.59f, "c", 0.4f)).build();
        try (Classifier fitted = TinyModel.open(TinyModel.manifest("calibration", calibration))) {
            Report report = fitted.classify(picture, query);
            // Each probability is multiplied by its new share over its old one, then divided by their sum.
            double a = TinyModel.EXPECTED.get(0) * 0.01 / 0.5;
            double b = TinyModel.EXPECTED.get(1) * 0.59 / 0.25;
            double c = TinyModel.EXPECTED.get(2) * 0.4 / 0.25;
            List<Finding> findings = report.getFindings();
            assertEquals(List.of("b", "c", "a"), findings.stream().map(Finding::getLabel).toList());
            assertEquals(b / (a + b + c), findings.get(0).getProbability(), 1e-4);
            assertEquals(c / (a + b + c), findings.get(1).getProbability(), 1e-4);
            assertEquals(a / (a + b + c), findings.get(2).getProbability(), 1e-4);
            assertEquals("a", report.getVerdict().getLabels().get(0).getId());
        }
    }

    @Test
    void unanswered_scope_question_rejects_and_says_what_to_do() throws BedsideException {
        try (Classifier scoped = TinyModel.open(TinyModel.manifest("scope", SCOPE))) {
            Report report = scoped.classify(picture, Query.builder().language("uk").build());
            assertEquals(Verdict.Kind.REJECTED, report.getVerdict().getKind());
            assertEquals(Triage.UNASSESSED, report.getTriage());
            assertEquals(List.of(), report.getFindings());
            Reason reason = report.getVerdict().getReasons().get(0);
            assertEquals(ReasonKind.SCOPE_UNANSWERED, reason.getKind());
            assertEquals("dermatoscope", reason.getId());
            assertEquals("Через дерматоскоп?", reason.getQuestion());
            assertTrue(reason.getMessage().contains("дайте відповідь"), reason.getMessage());
        }
    }

    @Test
    void query_answers_decide_whether_there_is_a_verdict() throws BedsideException {
        try (Classifier scoped = TinyModel.open(TinyModel.manifest("scope", SCOPE))) {
            Query outside = Query.builder().answer("dermatoscope", Answer.NO).answer("age", Answer.number(17)).build();
            List<Reason> reasons = scoped.classify(picture, outside).getVerdict().getReasons();
            List<Reason> beforehand = scoped.scopeReasons(outside);
            List<ReasonKind> kinds = reasons.stream().map(Reason::getKind).toList();
            assertEquals(List.of(ReasonKind.SCOPE_NO, ReasonKind.SCOPE_OUT_OF_RANGE), kinds);
            assertEquals(kinds, beforehand.stream().map(Reason::getKind).toList());
            assertEquals(reasons.get(1).getMessage(), beforehand.get(1).getMessage());

            Query inside = Query.builder().answer("dermatoscope", Answer.YES).answer("age", Answer.number(18)).build();
            assertEquals(Verdict.Kind.SINGLE, scoped.classify(picture, inside).getVerdict().getKind());
            assertEquals(List.of(), scoped.scopeReasons(inside));
        }
    }

    @Test
    void sigmoid_model_gives_several_labels_or_none() throws BedsideException {
        try (Classifier low = sigmoid(0); Classifier high = sigmoid(1)) {
            assertEquals(Verdict.Kind.SEVERAL, low.classify(picture).getVerdict().getKind());
            assertEquals(3, low.classify(picture).getVerdict().getLabels().size());
            Report undecided = high.classify(picture);
            assertEquals(Verdict.Kind.UNDECIDED, undecided.getVerdict().getKind());
            assertEquals(Triage.REFER, undecided.getTriage());
            assertEquals(DecidedBy.UNDECIDED, undecided.getDecidedBy());
        }
    }

    @Test
    void danger_sign_sets_the_triage_and_is_in_the_report() throws BedsideException {
        String scope = """
                [{"id": "ready", "required": true},
                 {"id": "bleeds", "question": {"en": "Does it bleed?", "uk": "Кровить?"}, "role": "danger",
                  "level": "urgent"}]""";
        JsonObject manifest = TinyModel.manifest("scope", scope);
        JsonObject label = manifest.getAsJsonObject("output").getAsJsonArray("labels").get(0).getAsJsonObject();
        label.addProperty("triage", "refer");
        try (Classifier model = TinyModel.open(manifest)) {
            ScopeQuestion bleeds = model.manifest().getScope().get(1);
            assertEquals(QuestionRole.SCOPE, model.manifest().getScope().get(0).getRole());
            assertNull(model.manifest().getScope().get(0).getLevel());
            assertEquals(QuestionRole.DANGER, bleeds.getRole());
            assertEquals(Triage.URGENT, bleeds.getLevel());
            assertFalse(bleeds.isRequired());

            Query no = Query.builder().answer("ready", Answer.YES).answer("bleeds", Answer.NO).build();
            Report without = model.classify(picture, no);
            assertEquals(Triage.REFER, without.getTriage());
            assertEquals(DecidedBy.LABEL, without.getDecidedBy());
            assertEquals(List.of(), without.getDanger());
            Query yes = Query.builder().answer("ready", Answer.YES).answer("bleeds", Answer.YES).language("uk").build();
            Report with = model.classify(picture, yes);
            assertEquals(without.getVerdict().getLabels().get(0).getId(), with.getVerdict().getLabels().get(0).getId());
            assertEquals(Triage.URGENT, with.getTriage());
            assertEquals(DecidedBy.DANGER, with.getDecidedBy());
            assertSign("bleeds", "Кровить?", Triage.URGENT, with.getDanger());
            Report rejected = model.classify(picture, Query.builder().answer("bleeds", Answer.YES).build());
            assertEquals(Verdict.Kind.REJECTED, rejected.getVerdict().getKind());
            assertEquals(Triage.URGENT, rejected.getTriage());
            assertSign("bleeds", "Does it bleed?", Triage.URGENT, rejected.getDanger());
        }
    }

    @Test
    void poor_picture_is_asked_for_again_once_and_from_a_camera_only() throws BedsideException {
        String hash = classifier.identity().getGraphSha256();
        String calibration = "{\"graph_sha256\": \"" + hash + "\", \"quality\": {\"size\": {\"min\": 1000}}}";
        try (Classifier model = TinyModel.open(TinyModel.manifest("calibration", calibration))) {
            Query camera = Query.builder().source(Source.CAMERA).build();
            assertPoor(Triage.UNASSESSED, DecidedBy.QUALITY, "Take it again", model.classify(picture, camera));
            Query file = Query.builder().source(Source.FILE).build();
            assertPoor(Triage.UNASSESSED, DecidedBy.QUALITY, "examine without", model.classify(picture, file));
            Query again = Query.builder().source(Source.CAMERA).refusals(1).build();
            assertPoor(Triage.REFER, DecidedBy.REPEATED_QUALITY, "examine without", model.classify(picture, again));
            Query below = Query.builder().refusals(-1).build();
            BedsideException refused = assertThrows(BedsideException.class, () -> model.classify(picture, below));
            assertEquals(ErrorKind.INVALID_QUERY, refused.getKind());
        }
    }

    private static void assertPoor(Triage triage, DecidedBy decidedBy, String words, Report report) {
        Reason reason = report.getVerdict().getReasons().get(0);
        assertEquals(ReasonKind.TOO_SMALL, reason.getKind());
        assertTrue(reason.getMessage().contains(words), reason.getMessage());
        assertNull(reason.getId());
        assertEquals(triage, report.getTriage());
        assertEquals(decidedBy, report.getDecidedBy());
        // The golden picture and the input of the model have 32 pixels a side.
        assertEquals(1f, report.getQuality().getSize());
    }

    /** A heatmap of the small model, which has no linear head that a class activation map needs. */
    static Heatmap heatmap() throws BedsideException {
        try (Classifier model = TinyModel.open(); Image picture = TinyModel.picture()) {
            Query query = Query.builder().explain(Explain.by(ExplainMethod.OCCLUSION).label("b")).build();
            return model.classify(picture, query).getHeatmap();
        }
    }

    @Test
    void heatmap_is_that_of_the_reports_json_and_can_be_drawn() throws BedsideException {
        assertNull(classifier.classify(picture).getHeatmap());
        Query query = Query.builder().explain(Explain.by(ExplainMethod.OCCLUSION).label("b")).build();
        Report report = classifier.classify(picture, query);
        Heatmap heatmap = report.getHeatmap();
        JsonObject json = Repository.json(report.getJson()).getAsJsonObject("heatmap");
        assertEquals("b", heatmap.getLabel());
        assertEquals(ExplainMethod.OCCLUSION, heatmap.getMethod());
        assertEquals(json.get("width").getAsInt(), heatmap.getWidth());
        assertEquals(json.get("height").getAsInt(), heatmap.getHeight());
        List<Float> values = new ArrayList<>();
        json.getAsJsonArray("values").forEach(value -> values.add(value.getAsFloat()));
        assertEquals(values, heatmap.getValues());
        assertEquals(heatmap.getWidth() * heatmap.getHeight(), values.size());
        assertEquals(json.get("max").getAsFloat(), heatmap.getMax());
        assertEquals(json.get("evidence").getAsBoolean(), heatmap.isEvidence());
        // The golden picture has 32 pixels a side, and so has the input, which sees all of it.
        assertArrayEquals(new int[] {32, 32}, heatmap.getPicture());
        assertArrayEquals(new double[] {0, 0, 32, 32}, heatmap.getSeen());
        byte[] png = picture.overlay(heatmap);
        assertArrayEquals(new byte[] {(byte) 0x89, 'P', 'N', 'G'}, Arrays.copyOf(png, 4));
        try (Image other = Image.open(Repository.file("models/samples/ISIC_0012258.jpg").toString())) {
            BedsideException refused = assertThrows(BedsideException.class, () -> other.overlay(heatmap));
            assertEquals(ErrorKind.INVALID_QUERY, refused.getKind());
        }
    }

    @Test
    void class_activation_map_needs_an_explanation() throws BedsideException {
        Explain explain = Explain.by(ExplainMethod.CLASS_ACTIVATION);
        Query query = Query.builder().explain(explain).build();
        BedsideException refused = assertThrows(BedsideException.class, () -> classifier.classify(picture, query));
        assertEquals(ErrorKind.INVALID_QUERY, refused.getKind());
        assertTrue(refused.getMessage().contains("explanation"), refused.getMessage());
    }

    @Test
    void novelty_is_measured_where_the_model_tells() throws BedsideException {
        assertNull(classifier.classify(picture).getNovelty());
        String hash = classifier.identity().getGraphSha256();
        String calibration = "{\"graph_sha256\": \"" + hash + "\", \"novelty\": {\"method\": \"energy\","
                + " \"soft\": -99, \"hard\": 99}}";
        try (Classifier model = TinyModel.open(TinyModel.manifest("calibration", calibration))) {
            Report report = model.classify(picture);
            Novelty novelty = report.getNovelty();
            JsonObject json = Repository.json(report.getJson()).getAsJsonObject("novelty");
            assertEquals(json.get("value").getAsFloat(), novelty.getValue());
            assertEquals(-99f, novelty.getSoft());
            assertEquals(99f, novelty.getHard());
        }
    }

    private static void assertSign(String id, String question, Triage level, List<DangerSign> signs) {
        assertEquals(1, signs.size());
        assertEquals(id, signs.get(0).getId());
        assertEquals(question, signs.get(0).getQuestion());
        assertEquals(level, signs.get(0).getLevel());
    }

    @Test
    void verdict_has_the_most_pressing_label_first() throws BedsideException {
        JsonObject manifest = TinyModel.manifest();
        JsonArray labels = manifest.getAsJsonObject("output").getAsJsonArray("labels");
        List<String> levels = List.of("no_sign", "refer", "urgent");
        for (int i = 0; i < levels.size(); i++) {
            labels.get(i).getAsJsonObject().addProperty("operating_point", 0.0);
            labels.get(i).getAsJsonObject().addProperty("triage", levels.get(i));
        }
        try (Classifier model = TinyModel.open(manifest)) {
            Report report = model.classify(picture);
            List<LabelName> found = report.getVerdict().getLabels();
            assertEquals(List.of("c", "b", "a"), found.stream().map(LabelName::getId).toList());
            List<Triage> wanted = List.of(Triage.URGENT, Triage.REFER, Triage.NO_SIGN);
            assertEquals(wanted, found.stream().map(LabelName::getLevel).toList());
        }
    }

    @Test
    void group_stands_in_place_of_its_labels_and_is_no_score() throws BedsideException {
        JsonObject manifest = TinyModel.manifest();
        manifest.getAsJsonObject("output").add("groups", JsonParser.parseString("""
                [{"id": "bc", "name": {"en": "Group"}, "labels": ["b", "c"], "operating_point": 0.2, "triage": "refer"}]
                """));
        try (Classifier model = TinyModel.open(manifest)) {
            List<Label> shown = model.manifest().getShownLabels();
            assertEquals(2, shown.size());
            assertLabel("a", "Label A", 0.3f, Triage.URGENT, shown.get(0));
            assertLabel("bc", "Group", 0.2f, Triage.REFER, shown.get(1));
            assertEquals(List.of("a", "bc"), labels(model, PLAIN));
            assertEquals(3, model.scores(picture).size());
        }
    }

    @Test
    void manifest_advice_is_the_models_or_else_that_of_the_library() throws BedsideException {
        String advice = "{\"urgent\": {\"en\": \"A doctor today.\", \"uk\": \"Лікар сьогодні.\"}}";
        try (Classifier model = TinyModel.open(TinyModel.manifest("advice", advice))) {
            assertEquals("A doctor today.", model.manifest().getAdvice(Triage.URGENT));
            assertEquals("Лікар сьогодні.", model.manifest("uk").getAdvice(Triage.URGENT));
            assertEquals("A clinician should look at it.", model.manifest().getAdvice(Triage.REFER));
            assertEquals("A doctor today.", model.classify(picture).getAdvice());
        }
    }

    /** A model whose labels do not exclude each other, with this operating point for each. */
    private static Classifier sigmoid(float operatingPoint) throws BedsideException {
        JsonObject manifest = TinyModel.manifest();
        JsonObject output = manifest.getAsJsonObject("output");
        output.addProperty("activation", "sigmoid");
        for (JsonElement label : output.getAsJsonArray("labels")) {
            label.getAsJsonObject().addProperty("operating_point", operatingPoint);
        }
        return TinyModel.open(manifest);
    }

    @Test
    void manifest_has_the_language_asked_for() throws BedsideException {
        try (Classifier model = Repository.openModel()) {
            Manifest manifest = model.manifest("uk");
            List<String> names = List.of("Меланома", "Невус (родимка)", "Себорейний кератоз");
            assertEquals(names, manifest.getLabels().stream().map(Label::getName).toList());
            ScopeQuestion question = manifest.getScope().get(0);
            assertEquals("Чи знімок зроблено через дерматоскоп?", question.getQuestion());
            assertTrue(question.isRequired());
            assertNull(question.getMin());
            assertNull(question.getMax());
        }
    }

    @Test
    void manifest_fields_equal_those_of_its_json() throws BedsideException {
        try (Classifier model = Repository.openModel()) {
            Manifest manifest = model.manifest();
            JsonObject json = Repository.json(manifest.getJson());
            assertEquals(json.get("name").getAsString(), manifest.getName());
            assertEquals(json.get("version").getAsString(), manifest.getVersion());
            assertEquals(json.get("license").getAsString(), manifest.getLicense());
            assertEquals(english(json, "title"), manifest.getTitle());
            assertEquals(english(json, "intended_use"), manifest.getIntendedUse());
            assertEquals(english(json, "not_for"), manifest.getNotFor());
            Label melanoma = manifest.getLabels().get(0);
            JsonArray labels = json.getAsJsonObject("output").getAsJsonArray("labels");
            JsonObject label = labels.get(0).getAsJsonObject();
            assertEquals(label.get("id").getAsString(), melanoma.getId());
            assertEquals(Triage.URGENT, melanoma.getTriage());
        }
    }

    @Test
    void manifest_fields_equal_what_was_written() throws BedsideException {
        JsonObject written = Repository.json("""
                {"title": {"en": "A title", "uk": "Назва"}, "intended_use": {"en": "For tests", "uk": "Для тестів"},
                 "not_for": {"en": "For nobody", "uk": "Ні для кого"}}
                """);
        JsonObject whole = TinyModel.manifest();
        written.entrySet().forEach(field -> whole.add(field.getKey(), field.getValue()));
        try (Classifier model = TinyModel.open(whole)) {
            Manifest manifest = model.manifest();
            assertEquals("tiny", manifest.getName());
            assertEquals("0.0.1", manifest.getVersion());
            assertEquals("CC0-1.0", manifest.getLicense());
            assertEquals("A title", manifest.getTitle());
            assertEquals("For tests", manifest.getIntendedUse());
            assertEquals("For nobody", manifest.getNotFor());
            assertEquals(List.of(), manifest.getScope());
            assertLabel("a", "Label A", 0.3f, Triage.URGENT, manifest.getLabels().get(0));
            assertLabel("b", "Label B", null, Triage.NO_SIGN, manifest.getLabels().get(1));
            assertLabel("c", "Label C", null, Triage.REFER, manifest.getLabels().get(2));
            assertLabel("b", "Label B", 0.5f, Triage.NO_SIGN, manifest.getShownLabels().get(1));
            assertEquals(3, manifest.getLabels().size());
            JsonObject json = Repository.json(manifest.getJson());
            written.entrySet().forEach(field -> assertEquals(field.getValue(), json.get(field.getKey())));
            assertEquals("Ні для кого", model.manifest("uk").getNotFor());
        }
    }

    private static void assertLabel(String id, String name, Float operatingPoint, Triage triage, Label label) {
        assertEquals(id, label.getId());
        assertEquals(name, label.getName());
        assertEquals(operatingPoint, label.getOperatingPoint());
        assertEquals(triage, label.getTriage());
    }

    @Test
    void scope_question_has_its_bounds() throws BedsideException {
        String scope = "[{\"id\": \"age\", \"min\": 18.5, \"max\": 90}, {\"id\": \"size\", \"max\": 7}]";
        try (Classifier scoped = TinyModel.open(TinyModel.manifest("scope", scope))) {
            ScopeQuestion age = scoped.manifest().getScope().get(0);
            assertEquals(18.5, age.getMin());
            assertEquals(90.0, age.getMax());
            assertEquals("age", age.getQuestion());
            assertFalse(age.isRequired());
            ScopeQuestion size = scoped.manifest().getScope().get(1);
            assertNull(size.getMin());
            assertEquals(7.0, size.getMax());
        }
    }

    @Test
    void classifier_load_times_grow_from_read_to_optimize() throws BedsideException {
        String model = TinyModel.file();
        double[] shortest = {Double.MAX_VALUE, Double.MAX_VALUE, Double.MAX_VALUE};
        for (int i = 0; i < 10; i++) {
            try (Classifier opened = Classifier.open(model)) {
                LoadTimes times = opened.loadTimesMs();
                shortest[0] = Math.min(shortest[0], times.getRead());
                shortest[1] = Math.min(shortest[1], times.getImport());
                shortest[2] = Math.min(shortest[2], times.getOptimize());
            }
        }
        // The minimum of ten runs, which a busy machine hardly changes.
        boolean inOrder = 0 < shortest[0] && shortest[0] < shortest[1] && shortest[1] < shortest[2];
        assertTrue(inOrder, Arrays.toString(shortest));
    }

    @Test
    void returned_lists_can_not_be_changed() throws BedsideException {
        Report report = classifier.classify(picture);
        assertThrows(UnsupportedOperationException.class, () -> report.getFindings().remove(0));
        assertThrows(UnsupportedOperationException.class, () -> report.getVerdict().getLabels().clear());
        assertThrows(UnsupportedOperationException.class, () -> classifier.manifest().getLabels().clear());
        assertThrows(UnsupportedOperationException.class, () -> classifier.manifest().getShownLabels().clear());
    }

    @Test
    void query_does_not_change_with_its_builder() throws BedsideException {
        List<String> allowed = new ArrayList<>(List.of("b"));
        Query.Builder builder = Query.builder().allow(allowed);
        allowed.add("a");
        Query query = builder.build();
        builder.allow(List.of());
        assertEquals(List.of("b"), labels(query));
    }

    private List<String> labels(Query query) throws BedsideException {
        return labels(classifier, query);
    }

    private List<String> labels(Classifier model, Query query) throws BedsideException {
        return model.classify(picture, query).getFindings().stream().map(Finding::getLabel).toList();
    }

    private static String english(JsonObject json, String field) {
        return json.getAsJsonObject(field).get("en").getAsString();
    }
}
