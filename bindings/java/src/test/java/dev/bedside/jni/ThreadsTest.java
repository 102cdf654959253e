package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** One classifier serves many threads. */
class ThreadsTest {
    @Test
    void eight_threads_share_one_classifier_and_get_the_same_bits() throws Exception {
        try (Classifier classifier = Tiny.open(); Image picture = Tiny.picture()) {
            List<Found> wanted = Found.in(classifier.classify(picture));
            assertEquals(all(50, wanted), Crowd.of(50, () -> Found.in(classifier.classify(picture))));
        }
    }

    @Test
    void eight_threads_share_the_shipped_model() throws Exception {
        Query query = Query.builder().answer("dermatoscope", Answer.YES).build();
        try (Classifier classifier = Repository.openModel()) {
            Image photo = Repository.openImage(Repository.samples().get(0));
            List<Found> wanted = Found.in(classifier.classify(photo, query));
            assertEquals(all(1, wanted), Crowd.of(1, () -> Found.in(classifier.classify(photo, query))));
        }
    }

    private static List<List<Found>> all(int times, List<Found> wanted) {
        return Collections.nCopies(Crowd.SIZE * times, wanted);
    }
}
