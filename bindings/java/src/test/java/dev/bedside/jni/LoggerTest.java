package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The library's log reaches an app's logger, survives a logger that throws, and holds nothing of a picture. */
class LoggerTest {
    private record Entry(LogLevel level, String target, String message, Thread thread) {}

    private static final class RecordingLogger implements Logger {
        final List<Entry> entries = new CopyOnWriteArrayList<>();

        @Override
        public void log(LogLevel level, String target, String message) {
            entries.add(new Entry(level, target, message, Thread.currentThread()));
        }

        List<Entry> stages() {
            return entries.stream().filter(entry -> entry.target.equals("bedside::stages")).toList();
        }

        List<String> stageNames() {
            return stages().stream().map(entry -> entry.message.split(" ")[0]).toList();
        }

        Set<LogLevel> levels() {
            return entries.stream().map(Entry::level).collect(Collectors.toSet());
        }

        boolean mentions(String word) {
            String lower = word.toLowerCase(Locale.ROOT);
            return entries.stream().anyMatch(entry -> entry.message.toLowerCase(Locale.ROOT).contains(lower));
        }
    }

    private final RecordingLogger recorded = new RecordingLogger();

    @Test
    void logger_receives_each_stage_at_trace() throws Exception {
        Stages.withLogger(recorded, () -> TinyModel.open().classify(TinyModel.picture()));
        assertEquals(Stages.ALL, recorded.stageNames());
        assertEquals(Set.of(LogLevel.TRACE), recorded.stages().stream().map(Entry::level).collect(Collectors.toSet()));
    }

    @Test
    void logger_receives_no_records_below_its_level() throws Exception {
        // A warning about the unknown field, one record for the model, one for each stage.
        Map<LogLevel, Set<LogLevel>> wanted = Map.of(
                LogLevel.ERROR, Set.of(),
                LogLevel.WARN, Set.of(LogLevel.WARN),
                LogLevel.INFO, Set.of(LogLevel.WARN),
                LogLevel.DEBUG, Set.of(LogLevel.WARN, LogLevel.DEBUG),
                LogLevel.TRACE, Set.of(LogLevel.WARN, LogLevel.DEBUG, LogLevel.TRACE));
        for (LogLevel level : LogLevel.values()) {
            RecordingLogger logger = new RecordingLogger();
            Logger.set(logger, level);
            TinyModel.open(TinyModel.manifest("telepathy", "{}")).classify(TinyModel.picture());
            Logger.set(null);
            assertEquals(wanted.get(level), logger.levels(), level.name());
        }
    }

    @Test
    void logger_without_a_level_receives_warnings_and_errors() throws Exception {
        Logger.set(recorded);
        TinyModel.open(TinyModel.manifest("telepathy", "{}")).classify(TinyModel.picture());
        Logger.set(null);
        assertEquals(Set.of(LogLevel.WARN), recorded.levels());
        assertTrue(recorded.mentions("telepathy"), "an unknown field is a warning");
    }

    @Test
    void logger_that_throws_does_not_end_a_classification() throws Exception {
        List<Throwable> all = List.of(
                new IllegalStateException("by the logger"),
                new AssertionError("by the logger"),
                new IOException("by the logger"));
        try (Classifier classifier = TinyModel.open(); Image picture = TinyModel.picture()) {
            List<FindingValue> wanted = FindingValue.of(classifier.classify(picture));
            for (Throwable thrown : all) {
                List<String> stages = Stages.during(
                        stage -> throwUndeclared(thrown),
                        () -> assertEquals(wanted, FindingValue.of(classifier.classify(picture))));
                assertEquals(Stages.ALL, stages);
            }
        }
    }

    /** Throws a checked exception without declaring it, as Kotlin may. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void throwUndeclared(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void logger_receives_records_of_eight_threads() throws Exception {
        try (Classifier classifier = TinyModel.open(); Image picture = TinyModel.picture()) {
            Stages.withLogger(recorded, () -> EightThreads.repeat(20, () -> classifier.classify(picture)));
        }
        assertEquals(EightThreads.COUNT * 20 * Stages.ALL.size(), recorded.stages().size());
        assertTrue(recorded.stages().stream().map(Entry::thread).distinct().count() > 1);
    }

    @Test
    void logger_receives_nothing_once_removed() throws Exception {
        Classifier classifier = TinyModel.open();
        Logger.set(recorded, LogLevel.TRACE);
        classifier.classify(TinyModel.picture());
        int received = recorded.stages().size();
        assertEquals(Stages.ALL.size(), received);
        Logger.set(null, LogLevel.TRACE);
        classifier.classify(TinyModel.picture());
        assertEquals(received, recorded.stages().size());
    }

    @Test
    void logger_may_set_another_logger() throws Exception {
        Logger replacing = (level, target, message) -> {
            try {
                Logger.set(recorded, LogLevel.TRACE);
            } catch (BedsideException error) {
                throw new AssertionError(error);
            }
        };
        Classifier classifier = TinyModel.open();
        Stages.withLogger(replacing, () -> classifier.classify(TinyModel.picture()));
        assertEquals(Stages.ALL.subList(1, 4), recorded.stageNames());
    }

    @Test
    void logger_may_classify() throws Exception {
        Classifier classifier = TinyModel.open();
        List<Integer> findings = Collections.synchronizedList(new ArrayList<>());
        Stages.during(Stages.onAnotherThreadAfter("decode", () -> {
            Logger.set(null);
            findings.add(classifier.classify(TinyModel.picture()).getFindings().size());
        }), () -> classifier.classify(TinyModel.picture()));
        assertEquals(List.of(3), findings);
    }

    @Test
    void log_holds_nothing_of_picture_person_or_result() throws Exception {
        List<String> words = new ArrayList<>(List.of("isic", "samples", "melanoma", "nevus", "keratosis", "urgent"));
        Query query = Query.builder().answer("dermatoscope", Answer.YES).answer("mole_like", Answer.YES).build();
        Stages.withLogger(recorded, () -> {
            try (Classifier classifier = Repository.openModel()) {
                Report report = classifier.classify(Repository.openImage(Repository.samples().get(0)), query);
                report.getFindings().forEach(finding -> words.add(Float.toString(finding.getProbability())));
            }
        });
        assertFalse(recorded.entries.isEmpty());
        assertEquals(List.of(), words.stream().filter(recorded::mentions).toList());
    }
}
