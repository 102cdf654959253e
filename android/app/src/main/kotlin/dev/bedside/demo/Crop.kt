package dev.bedside.demo

import kotlin.math.min

/**
 * The square of an upright picture that is looked at: its centre, as fractions of the picture's width and height, and
 * its side, as a fraction of the shorter one. Each function returns a square that lies within the picture.
 */
data class Crop(val x: Double = 0.5, val y: Double = 0.5, val side: Double = 1.0) {
    /** The square moved by fractions of its own side, to the right and down. */
    fun moved(right: Double, down: Double, width: Int, height: Int): Crop {
        val pixels = side * min(width, height)
        return Crop(x + right * pixels / width, y + down * pixels / height, side).within(width, height)
    }

    /** The square with what is in it shown larger by this factor. */
    fun enlarged(factor: Double, width: Int, height: Int): Crop =
        copy(side = (side / factor).coerceIn(SMALLEST, 1.0)).within(width, height)

    /** The square as a part of the picture. */
    fun part(width: Int, height: Int): Part {
        val pixels = side * min(width, height)
        val (w, h) = pixels / width to pixels / height
        return Part((x - w / 2).coerceAtLeast(0.0), (y - h / 2).coerceAtLeast(0.0), min(w, 1.0), min(h, 1.0))
    }

    private fun within(width: Int, height: Int): Crop {
        val pixels = side * min(width, height)
        val (half, tall) = pixels / width / 2 to pixels / height / 2
        return copy(x = x.coerceIn(half, 1 - half), y = y.coerceIn(tall, 1 - tall))
    }

    companion object {
        /** The smallest side. With less, few pixels of a photo are left. */
        const val SMALLEST = 0.1
    }
}

/** A part of an upright picture, as fractions of its width and height. */
data class Part(val left: Double, val top: Double, val width: Double, val height: Double)
