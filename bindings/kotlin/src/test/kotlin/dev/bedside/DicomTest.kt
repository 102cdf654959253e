// DICOM files give what their exported twins give.

package dev.bedside

import java.io.ByteArrayInputStream
import javax.imageio.ImageIO
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertFalse
import kotlin.test.assertNotEquals

class DicomTest {
    @Test
    fun film_gives_the_scores_of_its_export_from_a_file_and_from_bytes() {
        val wanted = classifier.scores(open("film.png"))
        assertEquals(wanted, classifier.scores(open("film.dcm")))
        val bytes = Repository.file("tests/pictures/film.dcm").readBytes()
        assertEquals(wanted, classifier.scores(Image.fromBytes(bytes)))
    }

    @Test
    fun frame_of_a_loop_gives_the_scores_of_its_export() {
        val loop = open("loop.dcm")
        assertEquals(3u, loop.frames())
        val wanted = classifier.scores(open("loop.png"))
        assertEquals(wanted, classifier.scores(loop.frame(1u)))
        assertNotEquals(wanted, classifier.scores(loop.frame(1u).whole()))
        assertFailsWith<BedsideException.InvalidQuery> { classifier.scores(loop.frame(3u)) }
    }

    @Test
    fun report_has_the_warning_and_the_geometry_and_no_name() {
        val film = classifier.classify(open("film.dcm"), query)
        assertEquals(listOf(WarningKind.BURNED_IN), film.warnings.map { it.kind })
        assertEquals(Geometry(224u, 224u, 0.0, 0.0, 224.0, 224.0, Spacing(0.4, 0.4, atDetector = false)), film.geometry)
        assertFalse("nobody" in (film.text + film.json).lowercase())
        val loop = classifier.classify(open("loop.dcm"), query).geometry!!
        assertEquals(40.0 to 30.0, loop.left to loop.top)
        assertEquals(0.1, loop.spacing!!.xMm, 1e-12)
        val export = classifier.classify(open("film.png"), query)
        assertEquals(emptyList(), export.warnings)
        assertEquals(null, export.geometry!!.spacing)
    }

    @Test
    fun shown_frame_is_the_part_that_is_looked_at() {
        val wanted = ImageIO.read(Repository.file("tests/pictures/loop.png"))
        val shown = ImageIO.read(ByteArrayInputStream(open("loop.dcm").frame(1u).shown(4096u)))
        assertEquals(wanted.width to wanted.height, shown.width to shown.height)
        for (y in 0 until wanted.height) {
            for (x in 0 until wanted.width) {
                assertEquals(wanted.raster.getSample(x, y, 0), shown.raster.getSample(x, y, 0))
            }
        }
        val small = ImageIO.read(ByteArrayInputStream(open("film.dcm").shown(56u)))
        assertEquals(56 to 56, small.width to small.height)
        assertFailsWith<BedsideException.InvalidQuery> { open("film.dcm").shown(0u) }
    }

    private fun open(name: String) = Image.open(Repository.file("tests/pictures/$name").path)

    companion object {
        private val classifier = Classifier.open(Repository.model)
        private val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
    }
}
