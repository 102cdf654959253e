// A picture as rows of samples, and the direct buffers that frames are made of.

package dev.bedside

import java.io.File
import java.nio.ByteBuffer
import javax.imageio.ImageIO

/** Samples without padding: [channels] bytes a pixel. */
internal class Pixels(val width: Int, val height: Int, val channels: Int, val bytes: ByteArray) {
    operator fun get(x: Int, y: Int) = bytes.copyOfRange((y * width + x) * channels, (y * width + x + 1) * channels)

    /** A picture of this size whose pixel at (x, y) is the one that `source` names here. */
    fun rearranged(width: Int, height: Int, source: (x: Int, y: Int) -> Pair<Int, Int>): Pixels {
        val places = (0 until height).flatMap { y -> (0 until width).map { x -> source(x, y) } }
        val bytes = places.flatMap { (x, y) -> this[x, y].asList() }.toByteArray()
        return Pixels(width, height, channels, bytes)
    }

    /** The same picture with other bytes for each pixel. */
    fun recoded(channels: Int, pixel: (ByteArray) -> ByteArray): Pixels {
        val recoded = (0 until height * width).flatMap { pixel(this[it % width, it / width]).asList() }
        return Pixels(width, height, channels, recoded.toByteArray())
    }

    /** Rows this many bytes apart, with what is no pixel between them; the last ends with its last pixel. */
    fun rows(stride: Int): ByteArray {
        val (row, last) = width * channels to (height - 1) * stride
        val padded = ByteArray(last + row) { NO_PIXEL }
        for (y in 0 until height) bytes.copyInto(padded, y * stride, y * row, (y + 1) * row)
        return padded
    }

    companion object {
        /** A PNG's samples as Java decodes them, in the file's own channels. */
        fun png(file: File): Pixels {
            val raster = ImageIO.read(file).raster
            val samples = raster.getPixels(0, 0, raster.width, raster.height, null as IntArray?)
            val bytes = ByteArray(samples.size) { samples[it].toByte() }
            return Pixels(raster.width, raster.height, raster.numBands, bytes)
        }

        /** A binary PPM, which needs no decoder to be trusted. */
        fun ppm(file: File): Pixels {
            val bytes = file.readBytes()
            val header = Regex("""P6\s(\d+)\s(\d+)\s255\s""").matchAt(bytes.decodeToString(0, 20), 0)!!
            val (width, height) = header.destructured.toList().map(String::toInt)
            return Pixels(width, height, 3, bytes.copyOfRange(header.value.length, bytes.size))
        }
    }
}

/** Looks unlike any neighbour, so that a read beside the picture changes its scores. */
internal const val NO_PIXEL: Byte = 0x5a

internal fun directBuffer(bytes: ByteArray): ByteBuffer =
    ByteBuffer.allocateDirect(bytes.size).apply { put(bytes).flip() }

/** A direct buffer that holds the bytes from a position other than 0 to a limit below its capacity. */
internal fun insideOfAnother(bytes: ByteArray): ByteBuffer {
    val around = ByteArray(13) { NO_PIXEL }
    return directBuffer(around + bytes + around).apply { position(13).limit(13 + bytes.size) }
}
