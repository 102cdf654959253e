package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One classifier serves many threads. */
class ThreadsTest {
    @Test
    void classifier_gives_eight_threads_the_same_bits() throws Exception {
        try (Classifier classifier = TinyModel.open(); Image picture = TinyModel.picture()) {
            List<FindingValue> wanted = FindingValue.of(classifier.classify(picture));
            assertEquals(all(50, wanted), EightThreads.repeat(50, () -> FindingValue.of(classifier.classify(picture))));
        }
    }

    @Test
    void shipped_model_gives_eight_threads_the_same_bits() throws Exception {
        Query query = Query.builder().answer("dermatoscope", Answer.YES).answer("mole_like", Answer.YES).build();
        try (Classifier classifier = Repository.openModel()) {
            Image photo = Repository.openImage(Repository.samples().get(0));
            List<FindingValue> wanted = FindingValue.of(classifier.classify(photo, query));
            assertEquals(
                    all(1, wanted), EightThreads.repeat(1, () -> FindingValue.of(classifier.classify(photo, query))));
        }
    }

    private static List<List<FindingValue>> all(int times, List<FindingValue> wanted) {
        return Collections.nCopies(EightThreads.COUNT * times, wanted);
    }
}
