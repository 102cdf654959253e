// Pictures as rows of samples, and direct buffers of their bytes.

package dev.bedside

import java.io.File
import java.nio.ByteBuffer
import javax.imageio.ImageIO

/** A picture as rows of samples without padding, [channels] bytes for each pixel. */
internal class Pixels(val width: Int, val height: Int, val channels: Int, val bytes: ByteArray) {
    operator fun get(x: Int, y: Int) = bytes.copyOfRange((y * width + x) * channels, (y * width + x + 1) * channels)

    /** A picture of this size whose pixel at (x, y) is copied from the position that `source` gives. */
    fun rearranged(width: Int, height: Int, source: (x: Int, y: Int) -> Pair<Int, Int>): Pixels {
        val places = (0 until height).flatMap { y -> (0 until width).map { x -> source(x, y) } }
        val bytes = places.flatMap { (x, y) -> this[x, y].asList() }.toByteArray()
        return Pixels(width, height, channels, bytes)
    }

    /** The same picture with each pixel encoded in other bytes. */
    fun recoded(channels: Int, pixel: (ByteArray) -> ByteArray): Pixels {
        val recoded = (0 until height * width).flatMap { pixel(this[it % width, it / width]).asList() }
        return Pixels(width, height, channels, recoded.toByteArray())
    }

    /** The rows at this stride in bytes, with padding between them. The last row ends with its last pixel. */
    fun rows(stride: Int): ByteArray {
        val (row, last) = width * channels to (height - 1) * stride
        val padded = ByteArray(last + row) { PADDING }
        for (y in 0 until height) bytes.copyInto(padded, y * stride, y * row, (y + 1) * row)
        return padded
    }

    companion object {
        /** Decodes a PNG with Java's own decoder, in the channels of the file. */
        fun png(file: File): Pixels {
            val raster = ImageIO.read(file).raster
            val samples = raster.getPixels(0, 0, raster.width, raster.height, null as IntArray?)
            val bytes = ByteArray(samples.size) { samples[it].toByte() }
            return Pixels(raster.width, raster.height, raster.numBands, bytes)
        }

        /** Reads a binary PPM, which holds the samples as they are. */
        fun ppm(file: File): Pixels {
            val bytes = file.readBytes()
            val header = Regex("""P6\s(\d+)\s(\d+)\s255\s""").matchAt(bytes.decodeToString(0, 20), 0)!!
            val (width, height) = header.destructured.toList().map(String::toInt)
            return Pixels(width, height, 3, bytes.copyOfRange(header.value.length, bytes.size))
        }
    }
}

/** Differs from neighbouring samples, so that a read outside of the picture changes its scores. */
internal const val PADDING: Byte = 0x5a

internal fun directBuffer(bytes: ByteArray): ByteBuffer =
    ByteBuffer.allocateDirect(bytes.size).apply { put(bytes).flip() }

/** A direct buffer whose position is above 0 and whose limit is below its capacity, with these bytes between them. */
internal fun insideLargerBuffer(bytes: ByteArray): ByteBuffer {
    val margin = ByteArray(13) { PADDING }
    return directBuffer(margin + bytes + margin).apply { position(13).limit(13 + bytes.size) }
}
