@file:SuppressLint("ExifInterface") // This reads one tag and catches all failures, so it needs no dependency.

package dev.bedside.demo

import android.annotation.SuppressLint
import android.annotation.TargetApi
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
        if (Build.VERSION.SDK_INT >= 28) decode(resolver, address) else decodeBefore28(resolver, address)
    } catch (_: IOException) {
        null
    } catch (_: RuntimeException) {
        // The app that provides the picture may throw any exception.
        null
    } catch (_: OutOfMemoryError) {
        null
    }

@TargetApi(28)
private fun decode(resolver: ContentResolver, address: Uri): Bitmap =
    ImageDecoder.decodeBitmap(ImageDecoder.createSource(resolver, address)) { decoder, info, _ ->
        // Pixels in graphics memory can't be read.
        decoder.allocator = ImageDecoder.ALLOCATOR_SOFTWARE
        decoder.setTargetColorSpace(ColorSpace.get(ColorSpace.Named.SRGB))
        val scale = sqrt(MAX_PIXELS.toDouble() / (info.size.width.toDouble() * info.size.height))
        if (scale < 1) {
            decoder.setTargetSize((info.size.width * scale).toInt(), (info.size.height * scale).toInt())
        }
    }

private fun decodeBefore28(resolver: ContentResolver, address: Uri): Bitmap? {
    val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.read(address) { BitmapFactory.decodeStream(it, null, size) }
    var sampling = 1
    while (size.outWidth.toLong() * size.outHeight / (sampling * sampling) > MAX_PIXELS) sampling *= 2
    val options = BitmapFactory.Options().apply { inSampleSize = sampling }
    val stored = resolver.read(address) { BitmapFactory.decodeStream(it, null, options) }
    return stored?.let { upright(it, resolver.read(address, ::orientation) ?: ExifInterface.ORIENTATION_NORMAL) }
}
