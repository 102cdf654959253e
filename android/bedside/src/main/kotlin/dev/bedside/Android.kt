// Opens models from an app's assets, and pictures from content providers and bitmaps.

package dev.bedside

import android.content.ContentResolver
import android.content.res.AssetManager
import android.graphics.Bitmap
import android.net.Uri
import java.io.ByteArrayOutputStream
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The maximum size of a picture's file in bytes, as in `Image.open`: 256 MiB. */
private const val MAX_PICTURE_BYTES = 256L shl 20

/** The number of bytes that are read at a time. */
private const val CHUNK = 64 * 1024

/** The maximum first allocation, in bytes, because the size that a stream declares may be wrong. */
private const val MAX_FIRST = 16 shl 20

/**
 * Opens a model that is an asset of the app: an ONNX file or a prepared one with its manifest inside.
 *
 * Runs on the caller's thread for a fraction of a second: do not call it on the main thread.
 *
 * @param name the asset's path, such as `skin-lesion/model.onnx`
 * @throws BedsideException `Io` where there is no such asset; `TooLarge` where it is over the options' limit or does
 *   not fit the memory; else as `fromBytes` does
 */
@Throws(BedsideException::class)
public fun Classifier.Companion.fromAsset(
    assets: AssetManager,
    name: String,
    options: Options = Options(),
): Classifier {
    val limit = options.limits.maxModelBytes.coerceAtMost(Int.MAX_VALUE.toULong()).toLong()
    return fromBytes(bytes("asset $name", limit) { assets.open(name) }, options)
}

/**
 * Reads a picture of another app by a `content:` address, which a picker, the camera or the share sheet gives. The
 * address may also be a `file:` or an `android.resource:` one.
 *
 * Runs on the caller's thread until the other app has given the picture: do not call it on the main thread. The picture
 * is decoded when it is classified, and rotated upright by its EXIF orientation.
 *
 * @throws BedsideException `Io` where the other app does not give the picture; `TooLarge` where it has more than 256
 *   MiB or does not fit the memory
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromUri(resolver: ContentResolver, uri: Uri): Image =
    fromBytes(
        // The message has the authority only, because the rest of the address may name a person.
        bytes("the picture of ${uri.authority ?: uri.scheme}", MAX_PICTURE_BYTES) {
            resolver.openInputStream(uri) ?: throw IOException("the app that has it is gone")
        },
    )

/**
 * Copies the pixels of a bitmap, which must be upright, because a bitmap has no EXIF orientation.
 *
 * Prefer the file where there is one, because it is decoded at the scale that the model needs.
 *
 * @throws BedsideException `TooLarge` where the pixels have more than 256 MiB
 * @throws IllegalStateException where the bitmap is recycled, or its pixels are in graphics memory (`Config.HARDWARE`)
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromBitmap(bitmap: Bitmap): Image {
    val width = bitmap.width
    val height = bitmap.height
    // `getPixels` gives 0xAARRGGBB, not premultiplied. In little-endian order the bytes are blue, green, red, alpha.
    val pixels = ByteBuffer.allocateDirect(4 * width * height).order(ByteOrder.LITTLE_ENDIAN)
    val row = IntArray(width)
    val ints = pixels.asIntBuffer()
    for (y in 0 until height) {
        bitmap.getPixels(row, 0, width, 0, y, width, 1)
        ints.put(row)
    }
    val layout = FrameLayout.Bgra8(width.toUInt(), height.toUInt(), (4 * width).toUInt())
    return fromFrame(pixels, FrameFormat(layout))
}

/**
 * All bytes of a stream. Exceptions of other apps and of Android become a [BedsideException]. Providers throw
 * undeclared exceptions, and their messages may name the file and so a person, so the new message has only the class of
 * the exception.
 */
private fun bytes(what: String, limit: Long, open: () -> InputStream): ByteArray =
    try {
        open().use { read(it, what, limit) }
    } catch (error: IOException) {
        throw unreadable(what, error)
    } catch (error: RuntimeException) {
        throw unreadable(what, error)
    } catch (error: OutOfMemoryError) {
        throw BedsideException.TooLarge("$what does not fit this device's memory")
    }

private fun unreadable(what: String, error: Exception): BedsideException =
    BedsideException.Io("$what can't be read (${error.javaClass.simpleName}); choose it again")

private fun read(stream: InputStream, what: String, limit: Long): ByteArray {
    val bytes = ByteArrayOutputStream(maxOf(CHUNK, minOf(stream.available(), MAX_FIRST)))
    val chunk = ByteArray(CHUNK)
    while (true) {
        val count = stream.read(chunk)
        if (count < 0) return bytes.toByteArray()
        if (bytes.size() + count > limit) throw BedsideException.TooLarge("$what has more than $limit bytes")
        bytes.write(chunk, 0, count)
    }
}
