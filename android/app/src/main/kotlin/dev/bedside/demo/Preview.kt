@file:SuppressLint("ExifInterface") // One tag is read, and any failure is caught: no reason for a dependency.

package dev.bedside.demo

import android.annotation.SuppressLint
import android.content.ContentResolver
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import java.io.IOException
import java.io.InputStream

/** The longest side of a preview, in pixels, is at most twice this: sharp on the slip, and at most 4 MB. */
private const val SIDE = 512

/** A small upright copy of a picture, to be shown; null where Android can't decode it, such as a TIFF file. */
fun preview(resolver: ContentResolver, address: Uri): Bitmap? =
    try {
        val small = resolver.read(address) { decode(it, sampling(resolver, address)) }
        small?.let { upright(it, resolver.read(address, ::orientation) ?: ExifInterface.ORIENTATION_NORMAL) }
    } catch (_: IOException) {
        null
    } catch (_: RuntimeException) {
        // The app that has the picture may throw anything; the report is there, so go on without the preview.
        null
    }

private fun <T> ContentResolver.read(address: Uri, act: (InputStream) -> T): T? =
    openInputStream(address)?.use { act(it) }

/** How many pixels of the file become one: a power of two. */
private fun sampling(resolver: ContentResolver, address: Uri): Int {
    val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
    resolver.read(address) { BitmapFactory.decodeStream(it, null, size) }
    var sampling = 1
    while (maxOf(size.outWidth, size.outHeight) / sampling >= 2 * SIDE) sampling *= 2
    return sampling
}

private fun decode(stream: InputStream, sampling: Int): Bitmap? =
    BitmapFactory.decodeStream(stream, null, BitmapFactory.Options().apply { inSampleSize = sampling })

private fun orientation(stream: InputStream): Int =
    ExifInterface(stream).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)

/** The picture turned and mirrored as its EXIF orientation asks for. */
internal fun upright(bitmap: Bitmap, orientation: Int): Bitmap {
    val turn = Matrix()
    when (orientation) {
        ExifInterface.ORIENTATION_FLIP_HORIZONTAL -> turn.setScale(-1f, 1f)
        ExifInterface.ORIENTATION_ROTATE_180 -> turn.setRotate(180f)
        ExifInterface.ORIENTATION_FLIP_VERTICAL -> turn.setScale(1f, -1f)
        ExifInterface.ORIENTATION_TRANSPOSE -> {
            turn.setRotate(90f)
            turn.postScale(-1f, 1f)
        }
        ExifInterface.ORIENTATION_ROTATE_90 -> turn.setRotate(90f)
        ExifInterface.ORIENTATION_TRANSVERSE -> {
            turn.setRotate(270f)
            turn.postScale(-1f, 1f)
        }
        ExifInterface.ORIENTATION_ROTATE_270 -> turn.setRotate(270f)
        else -> return bitmap
    }
    return Bitmap.createBitmap(bitmap, 0, 0, bitmap.width, bitmap.height, turn, true)
}
