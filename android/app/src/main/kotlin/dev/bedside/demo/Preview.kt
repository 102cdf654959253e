@file:SuppressLint("ExifInterface") // This reads one tag and catches all failures, so it needs no dependency.

package dev.bedside.demo

import android.annotation.SuppressLint
import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import dev.bedside.BedsideException
import dev.bedside.Image
import dev.bedside.Region
import dev.bedside.fromUri
import java.io.IOException
import java.io.InputStream
import kotlin.math.roundToInt

/** Half of the maximum length of the longer side of a preview, in pixels. A preview takes at most 4 MB. */
private const val SIDE = 512

/** The same of a preview that is enlarged, which takes at most 16 MB. */
const val LARGE = 1024

/**
 * A small upright copy of a picture; null where neither Android nor the library can decode it. What Android can't decode,
 * such as a DICOM file, is as the library looks at it.
 */
fun preview(resolver: ContentResolver, address: Uri, side: Int = SIDE): Bitmap? =
    try {
        val small = resolver.read(address) { decode(it, sampling(resolver, address, side)) }
        small?.let { upright(it, resolver.read(address, ::orientation) ?: ExifInterface.ORIENTATION_NORMAL) }
            ?: shown(resolver, address, 2 * side)
    } catch (_: BedsideException) {
        null
    } catch (_: IOException) {
        null
    } catch (_: RuntimeException) {
        // The app that provides the picture may throw any exception. The result is shown without the preview then.
        null
    }

private fun shown(resolver: ContentResolver, address: Uri, side: Int): Bitmap? {
    val png = Image.fromUri(resolver, address).use { it.shown(side.toUInt()) }
    return BitmapFactory.decodeByteArray(png, 0, png.size)
}

internal fun <T> ContentResolver.read(address: Uri, act: (InputStream) -> T): T? =
    openInputStream(address)?.use { act(it) }

/** The factor by which decoding reduces each side: a power of two. */
private fun sampling(resolver: ContentResolver, address: Uri, side: Int): Int {
    val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.read(address) { BitmapFactory.decodeStream(it, null, size) }
    var sampling = 1
    while (maxOf(size.outWidth, size.outHeight) / sampling >= 2 * side) sampling *= 2
    return sampling
}

private fun decode(stream: InputStream, sampling: Int): Bitmap? =
    BitmapFactory.decodeStream(stream, null, BitmapFactory.Options().apply { inSampleSize = sampling })

internal fun orientation(stream: InputStream): Int =
    ExifInterface(stream).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)

/** The picture, rotated and mirrored by its EXIF orientation. */
internal fun upright(bitmap: Bitmap, orientation: Int): Bitmap {
    val matrix = Matrix()
    when (orientation) {
        ExifInterface.ORIENTATION_FLIP_HORIZONTAL -> matrix.setScale(-1f, 1f)
        ExifInterface.ORIENTATION_ROTATE_180 -> matrix.setRotate(180f)
        ExifInterface.ORIENTATION_FLIP_VERTICAL -> matrix.setScale(1f, -1f)
        ExifInterface.ORIENTATION_TRANSPOSE -> {
            matrix.setRotate(90f)
            matrix.postScale(-1f, 1f)
        }
        ExifInterface.ORIENTATION_ROTATE_90 -> matrix.setRotate(90f)
        ExifInterface.ORIENTATION_TRANSVERSE -> {
            matrix.setRotate(270f)
            matrix.postScale(-1f, 1f)
        }
        ExifInterface.ORIENTATION_ROTATE_270 -> matrix.setRotate(270f)
        else -> return bitmap
    }
    return Bitmap.createBitmap(bitmap, 0, 0, bitmap.width, bitmap.height, matrix, true)
}

/** This part of the picture. */
fun Bitmap.part(part: Part): Bitmap {
    val x = (part.left * width).roundToInt().coerceIn(0, width - 1)
    val y = (part.top * height).roundToInt().coerceIn(0, height - 1)
    val across = (part.width * width).roundToInt().coerceIn(1, width - x)
    val down = (part.height * height).roundToInt().coerceIn(1, height - y)
    return Bitmap.createBitmap(this, x, y, across, down)
}

/** The part as the library takes it. */
val Part.region: Region
    get() = Region(left.toFloat(), top.toFloat(), width.toFloat(), height.toFloat())
