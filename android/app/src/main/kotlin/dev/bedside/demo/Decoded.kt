@file:SuppressLint("ExifInterface") // This reads one tag and catches all failures, so it needs no dependency.

package dev.bedside.demo

import android.annotation.SuppressLint
import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.ColorSpace
import android.graphics.ImageDecoder
import android.media.ExifInterface
import android.net.Uri
import android.os.Build
import java.io.IOException
import kotlin.math.sqrt

/** The maximum number of pixels of a picture that the system decodes. They take 4 bytes each, twice. */
private const val MAX_PIXELS = 16_000_000

/**
 * A picture in a format that the system reads and the library does not, such as HEIC: upright, and reduced where it is
 * large. Null where the system does not read it either.
 */
fun decoded(resolver: ContentResolver, address: Uri): Bitmap? =
    try {
        if (Build.VERSION.SDK_INT >= 28) {
            ImageDecoder.decodeBitmap(ImageDecoder.createSource(resolver, address)) { decoder, info, _ ->
                // Pixels in graphics memory can't be read.
                decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
                decoder.setTargetColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
                val (width, height) = info.size.run { width to height }
                val scale = reduction(width, height)
                if (scale < 1) decoder.setTargetSize((width * scale).toInt(), (height * scale).toInt())
            }
        } else {
            decodeBefore28(resolver, address)
        }
    } catch (_: IOException) {
        null
    } catch (_: RuntimeException) {
        // The app that provides the picture may throw any exception.
        null
    } catch (_: OutOfMemoryError) {
        null
    }

/** The factor for each side by which a picture is reduced to the maximum number of pixels; at most 1. */
private fun reduction(width: Int, height: Int): Double = minOf(1.0, sqrt(MAX_PIXELS / (width.toDouble() * height)))

private fun decodeBefore28(resolver: ContentResolver, address: Uri): Bitmap? {
    val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.read(address) { BitmapFactory.decodeStream(it, null, size) }
    var sampling = 1
    while (size.outWidth.toLong() * size.outHeight / (sampling * sampling) > MAX_PIXELS) sampling *= 2
    val options = BitmapFactory.Options().apply { inSampleSize = sampling }
    val stored = resolver.read(address) { BitmapFactory.decodeStream(it, null, options) }
    return stored?.let { upright(it, resolver.read(address, ::orientation) ?: ExifInterface.ORIENTATION_NORMAL) }
}
