package dev.bedside.demo

import android.graphics.Bitmap
import android.graphics.Color
import java.io.ByteArrayOutputStream
import java.io.DataOutputStream
import java.util.zip.CRC32
import java.util.zip.Deflater
import java.util.zip.DeflaterOutputStream

/** The number of the most frequent colours that the palette has exactly: those of surfaces and letters. */
private const val EXACT = 96
private const val COLORS = 256

/** A PNG of at most 256 colours, which is smaller than Android's own. The repository keeps such pictures. */
fun indexedPng(bitmap: Bitmap): ByteArray {
    val pixels = IntArray(bitmap.width * bitmap.height)
    bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    val palette = palette(pixels)
    val nearest = HashMap<Int, Int>()
    val rows = ByteArrayOutputStream()
    for ((place, color) in pixels.withIndex()) {
        // Each row begins with its filter: none.
        if (place % bitmap.width == 0) rows.write(0)
        rows.write(nearest.getOrPut(color) { palette.indices.minByOrNull { distance(palette[it], color) }!! })
    }
    return file(bitmap.width, bitmap.height, palette, rows.toByteArray())
}

/** The most frequent colours, and for the others the centres of the most frequent cubes of 8 levels a side. */
private fun palette(pixels: IntArray): List<Int> {
    val counts = pixels.toTypedArray().groupingBy { it }.eachCount().entries
        .sortedWith(compareByDescending<Map.Entry<Int, Int>> { it.value }.thenBy { it.key })
    val exact = counts.take(EXACT).map { it.key }
    val cubes = counts.drop(EXACT).groupBy { it.key and 0xF8F8F8 }.entries
        .sortedWith(compareByDescending<Map.Entry<Int, List<Map.Entry<Int, Int>>>> { cube ->
            cube.value.sumOf { it.value }
        }.thenBy { it.key })
    return exact + cubes.take(COLORS - exact.size).map { it.key or 0x040404 }
}

private fun distance(one: Int, other: Int): Int {
    val red = Color.red(one) - Color.red(other)
    val green = Color.green(one) - Color.green(other)
    val blue = Color.blue(one) - Color.blue(other)
    return red * red + green * green + blue * blue
}

/** PNG, third edition, section 5: signature, IHDR, PLTE, IDAT, IEND. */
private fun file(width: Int, height: Int, palette: List<Int>, rows: ByteArray): ByteArray {
    val bytes = ByteArrayOutputStream()
    val file = DataOutputStream(bytes)
    file.writeLong(-0x76afb1b8f2f5e5f6L)
    chunk(file, "IHDR") {
        it.writeInt(width)
        it.writeInt(height)
        // 8 bits for each pixel, indexed.
        it.write(byteArrayOf(8, 3, 0, 0, 0))
    }
    chunk(file, "PLTE") { out ->
        palette.forEach { color ->
            out.write(Color.red(color))
            out.write(Color.green(color))
            out.write(Color.blue(color))
        }
    }
    chunk(file, "IDAT") { out ->
        DeflaterOutputStream(out, Deflater(Deflater.BEST_COMPRESSION)).use { it.write(rows) }
    }
    chunk(file, "IEND") {}
    return bytes.toByteArray()
}

private fun chunk(file: DataOutputStream, type: String, content: (DataOutputStream) -> Unit) {
    val bytes = ByteArrayOutputStream()
    DataOutputStream(bytes).use {
        it.writeBytes(type)
        content(it)
    }
    val typed = bytes.toByteArray()
    file.writeInt(typed.size - 4)
    file.write(typed)
    file.writeInt(CRC32().apply { update(typed) }.value.toInt())
}
