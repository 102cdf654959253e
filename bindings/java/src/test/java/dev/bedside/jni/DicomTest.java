package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** DICOM files give what their exported twins give. */
class DicomTest {
    private static final Classifier CLASSIFIER = opened();
    private static final Query QUERY =
            Query.builder().answer("dermatoscope", Answer.YES).answer("mole_like", Answer.YES).build();

    private static Classifier opened() {
        try {
            return Repository.openModel();
        } catch (BedsideException error) {
            throw new IllegalStateException(error);
        }
    }

    @AfterAll
    static void close() {
        CLASSIFIER.close();
    }

    private static Image open(String name) throws BedsideException {
        return Repository.openImage("tests/pictures/" + name);
    }

    @Test
    void film_gives_the_scores_of_its_export_from_a_file_and_from_bytes() throws BedsideException {
        List<Float> wanted = CLASSIFIER.scores(open("film.png"));
        assertEquals(wanted, CLASSIFIER.scores(open("film.dcm")));
        assertEquals(wanted, CLASSIFIER.scores(Image.fromBytes(Repository.bytes("tests/pictures/film.dcm"))));
    }

    @Test
    void frame_of_a_loop_gives_the_scores_of_its_export() throws BedsideException {
        Image loop = open("loop.dcm");
        assertEquals(3, loop.frames());
        List<Float> wanted = CLASSIFIER.scores(open("loop.png"));
        assertEquals(wanted, CLASSIFIER.scores(loop.frame(1)));
        assertNotEquals(wanted, CLASSIFIER.scores(loop.frame(1).whole()));
        BedsideException error = assertThrows(BedsideException.class, () -> CLASSIFIER.scores(loop.frame(3)));
        assertEquals(ErrorKind.INVALID_QUERY, error.getKind());
    }

    @Test
    void report_has_the_warning_and_the_geometry_and_no_name() throws BedsideException {
        Report film = CLASSIFIER.classify(open("film.dcm"), QUERY);
        assertEquals(List.of(WarningKind.BURNED_IN), film.getWarnings().stream().map(Warning::getKind).toList());
        assertArrayEquals(new double[] {0.4, 0.4}, film.getGeometry().getSpacingMm());
        assertFalse((film.getText() + film.getJson()).toLowerCase(java.util.Locale.ROOT).contains("nobody"));
        Geometry loop = CLASSIFIER.classify(open("loop.dcm"), QUERY).getGeometry();
        assertEquals(List.of(40.0, 30.0), List.of(loop.getLeft(), loop.getTop()));
        assertArrayEquals(new double[] {0.1, 0.1}, loop.getSpacingMm(), 1e-12);
        Report export = CLASSIFIER.classify(open("film.png"), QUERY);
        assertEquals(List.of(), export.getWarnings());
        assertNull(export.getGeometry().getSpacingMm());
    }

    @Test
    void shown_frame_is_the_part_that_is_looked_at() throws BedsideException, IOException {
        var wanted = ImageIO.read(Repository.file("tests/pictures/loop.png").toFile());
        var shown = ImageIO.read(new ByteArrayInputStream(open("loop.dcm").frame(1).shown(4096)));
        assertEquals(List.of(wanted.getWidth(), wanted.getHeight()), List.of(shown.getWidth(), shown.getHeight()));
        for (int y = 0; y < wanted.getHeight(); y++) {
            for (int x = 0; x < wanted.getWidth(); x++) {
                assertEquals(wanted.getRaster().getSample(x, y, 0), shown.getRaster().getSample(x, y, 0));
            }
        }
        var small = ImageIO.read(new ByteArrayInputStream(open("film.dcm").shown(56)));
        assertEquals(List.of(56, 56), List.of(small.getWidth(), small.getHeight()));
        assertThrows(BedsideException.class, () -> open("film.dcm").shown(0));
    }
}
