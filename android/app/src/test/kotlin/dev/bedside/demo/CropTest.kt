package dev.bedside.demo

import org.junit.Assert.assertEquals
import org.junit.Test

/** The square on a picture of 400×200 pixels, and on one of 200×400, without Android. */
class CropTest {
    @Test
    fun first_square_is_the_middle_of_the_picture() {
        assertEquals(Part(0.25, 0.0, 0.5, 1.0), Crop().part(400, 200))
        assertEquals(Part(0.0, 0.25, 1.0, 0.5), Crop().part(200, 400))
        assertEquals(Part(0.0, 0.0, 1.0, 1.0), Crop().part(300, 300))
    }

    @Test
    fun square_moves_by_its_own_side_and_stays_in_the_picture() {
        // 200 pixels are half of the width; a fifth of them is a tenth.
        assertNear(Part(0.35, 0.0, 0.5, 1.0), Crop().moved(0.2, 0.0, 400, 200).part(400, 200))
        assertNear(Part(0.5, 0.0, 0.5, 1.0), Crop().moved(3.0, -3.0, 400, 200).part(400, 200))
        assertNear(Part(0.0, 0.5, 1.0, 0.5), Crop().moved(1.0, 9.0, 200, 400).part(200, 400))
    }

    @Test
    fun enlarged_square_keeps_its_centre() {
        val twice = Crop().enlarged(2.0, 400, 200)
        assertNear(Part(0.375, 0.25, 0.25, 0.5), twice.part(400, 200))
        assertNear(Part(0.25, 0.0, 0.5, 1.0), twice.enlarged(0.1, 400, 200).part(400, 200))
        assertEquals(Crop.SMALLEST, twice.enlarged(1e9, 400, 200).side, 0.0)
    }

    @Test
    fun square_that_grows_at_an_edge_moves_into_the_picture() {
        val corner = Crop().enlarged(4.0, 400, 200).moved(-9.0, -9.0, 400, 200)
        assertNear(Part(0.0, 0.0, 0.125, 0.25), corner.part(400, 200))
        assertNear(Part(0.0, 0.0, 0.25, 0.5), corner.enlarged(0.5, 400, 200).part(400, 200))
    }

    private fun assertNear(expected: Part, found: Part) {
        assertEquals(expected.left, found.left, 1e-12)
        assertEquals(expected.top, found.top, 1e-12)
        assertEquals(expected.width, found.width, 1e-12)
        assertEquals(expected.height, found.height, 1e-12)
    }
}
