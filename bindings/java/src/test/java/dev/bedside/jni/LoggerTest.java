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

/** The library's log reaches an app, does no harm when the app's logger does, and holds nothing of a picture. */
class LoggerTest {
    private record Entry(LogLevel level, String target, String message, Thread thread) {}

    private static final class Kept implements Logger {
        final List<Entry> entries = new CopyOnWriteArrayList<>();

        @Override
        public void log(LogLevel level, String target, String message) {
            entries.add(new Entry(level, target, message, Thread.currentThread()));
        }

        List<Entry> stages() {
            return entries.stream().filter(entry -> entry.target.equals("bedside::stages")).toList();
        }

        List<String> namesOfStages() {
            return stages().stream().map(entry -> entry.message.split(" ")[0]).toList();
        }

        Set<LogLevel> levels() {
            return entries.stream().map(Entry::level).collect(Collectors.toSet());
        }

        boolean speaksOf(String word) {
            String lower = word.toLowerCase(Locale.ROOT);
            return entries.stream().anyMatch(entry -> entry.message.toLowerCase(Locale.ROOT).contains(lower));
        }
    }

    private final Kept kept = new Kept();

    @Test
    void each_stage_is_a_record_at_trace() throws Exception {
        Stages.hearing(kept, () -> Tiny.open().classify(Tiny.picture()));
        assertEquals(Stages.ALL, kept.namesOfStages());
        assertEquals(Set.of(LogLevel.TRACE), kept.stages().stream().map(Entry::level).collect(Collectors.toSet()));
    }

    @Test
    void a_level_keeps_lower_records_out() throws Exception {
        // A warning of the unknown field, a line for the model, one for each stage.
        Map<LogLevel, Set<LogLevel>> wanted = Map.of(
                LogLevel.ERROR, Set.of(),
                LogLevel.WARN, Set.of(LogLevel.WARN),
                LogLevel.INFO, Set.of(LogLevel.WARN),
                LogLevel.DEBUG, Set.of(LogLevel.WARN, LogLevel.DEBUG),
                LogLevel.TRACE, Set.of(LogLevel.WARN, LogLevel.DEBUG, LogLevel.TRACE));
        for (LogLevel level : LogLevel.values()) {
            Kept heard = new Kept();
            Logger.set(heard, level);
            Tiny.open(Tiny.manifest("telepathy", "{}")).classify(Tiny.picture());
            Logger.set(null);
            assertEquals(wanted.get(level), heard.levels(), level.name());
        }
    }

    @Test
    void without_a_level_it_hears_from_warn_up() throws Exception {
        Logger.set(kept);
        Tiny.open(Tiny.manifest("telepathy", "{}")).classify(Tiny.picture());
        Logger.set(null);
        assertEquals(Set.of(LogLevel.WARN), kept.levels());
        assertTrue(kept.speaksOf("telepathy"), "an unknown field is a warning");
    }

    @Test
    void a_logger_that_throws_does_not_break_a_classification() throws Exception {
        List<Throwable> all = List.of(
                new IllegalStateException("by the logger"),
                new AssertionError("by the logger"),
                new IOException("by the logger"));
        try (Classifier classifier = Tiny.open(); Image picture = Tiny.picture()) {
            List<Found> wanted = Found.in(classifier.classify(picture));
            for (Throwable thrown : all) {
                List<String> stages = Stages.during(
                        stage -> sneak(thrown), () -> assertEquals(wanted, Found.in(classifier.classify(picture))));
                assertEquals(Stages.ALL, stages);
            }
        }
    }

    /** Throws what a lambda in Java may not, and one in Kotlin may. */
    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable thrown) throws T {
        throw (T) thrown;
    }

    @Test
    void eight_threads_are_heard() throws Exception {
        try (Classifier classifier = Tiny.open(); Image picture = Tiny.picture()) {
            Stages.hearing(kept, () -> Crowd.of(20, () -> classifier.classify(picture)));
        }
        assertEquals(Crowd.SIZE * 20 * Stages.ALL.size(), kept.stages().size());
        assertTrue(kept.stages().stream().map(Entry::thread).distinct().count() > 1);
    }

    @Test
    void a_logger_that_was_taken_off_hears_no_more() throws Exception {
        Classifier classifier = Tiny.open();
        Logger.set(kept, LogLevel.TRACE);
        classifier.classify(Tiny.picture());
        int heard = kept.stages().size();
        assertEquals(Stages.ALL.size(), heard);
        Logger.set(null, LogLevel.TRACE);
        classifier.classify(Tiny.picture());
        assertEquals(heard, kept.stages().size());
    }

    @Test
    void a_logger_may_set_another() throws Exception {
        Logger handingOver = (level, target, message) -> {
            try {
                Logger.set(kept, LogLevel.TRACE);
            } catch (BedsideException error) {
                throw new AssertionError(error);
            }
        };
        Classifier classifier = Tiny.open();
        Stages.hearing(handingOver, () -> classifier.classify(Tiny.picture()));
        assertEquals(Stages.ALL.subList(1, 4), kept.namesOfStages());
    }

    @Test
    void a_logger_may_classify() throws Exception {
        Classifier classifier = Tiny.open();
        List<Integer> findings = Collections.synchronizedList(new ArrayList<>());
        Stages.during(Stages.elsewhereAfter("decode", () -> {
            Logger.set(null);
            findings.add(classifier.classify(Tiny.picture()).getFindings().size());
        }), () -> classifier.classify(Tiny.picture()));
        assertEquals(List.of(3), findings);
    }

    @Test
    void the_log_holds_nothing_of_picture_person_or_result() throws Exception {
        List<String> words = new ArrayList<>(List.of("isic", "samples", "melanoma", "nevus", "keratosis", "urgent"));
        Query query = Query.builder().answer("dermatoscope", Answer.YES).build();
        Stages.hearing(kept, () -> {
            try (Classifier classifier = Repository.openModel()) {
                Report report = classifier.classify(Repository.openImage(Repository.samples().get(0)), query);
                report.getFindings().forEach(finding -> words.add(Float.toString(finding.getProbability())));
            }
        });
        assertFalse(kept.entries.isEmpty());
        assertEquals(List.of(), words.stream().filter(kept::speaksOf).toList());
    }
}
