// Models from an app's assets, and pictures from where Android keeps them: content providers and bitmaps.

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

/** The most bytes that a picture's file may have, as in `Image.open`: 256 MiB. */
private const val MAX_PICTURE_BYTES = 256L shl 20

/** How much is read at a time. */
private const val CHUNK = 64 * 1024

/** The most that is asked for at once on the word of a stream, which may be wrong. */
private const val MAX_FIRST = 16 shl 20

/**
 * Opens a model that is an asset of the app: an ONNX or a prepared file with its manifest inside.
 *
 * Takes a fraction of a second: not for a thread that draws a screen.
 *
 * @param name the asset's path, such as `skin-lesion/model.onnx`
 * @throws BedsideException `Io` where there is no such asset; `TooLarge` where it is over the options' limit, or memory
 *   is short; else as `fromBytes` does
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
 * Reads a picture of another app, by a `content:` address that a picker, the camera or the share sheet gave. `file:`
 * and `android.resource:` addresses will do too.
 *
 * Takes as long as the other app does: not for a thread that draws a screen. The picture is decoded when it is
 * classified, and brought upright by its EXIF orientation then.
 *
 * @throws BedsideException `Io` where the other app does not give it (any more); `TooLarge` over 256 MiB, or where
 *   memory is short
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromUri(resolver: ContentResolver, uri: Uri): Image =
    fromBytes(
        // Only the authority is named: the rest may name a person.
        bytes("the picture of ${uri.authority ?: uri.scheme}", MAX_PICTURE_BYTES) {
            resolver.openInputStream(uri) ?: throw IOException("the app that has it is gone")
        },
    )

/**
 * Copies a bitmap's pixels. It is taken to be upright: a bitmap no longer knows its file's EXIF orientation.
 *
 * A file is the better source where there is one: it is decoded at the scale that the model needs.
 *
 * @throws IllegalStateException where the bitmap is recycled, or its pixels are in graphics memory (`Config.HARDWARE`)
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromBitmap(bitmap: Bitmap): Image {
    val width = bitmap.width
    val height = bitmap.height
    // `getPixels` gives 0xAARRGGBB, not premultiplied: in little-endian order the bytes are blue, green, red, alpha.
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
 * All bytes of a stream, with what other apps and Android throw turned into a [BedsideException]. Providers throw more
 * than they declare, and their messages may name the file and so a person: only the class of what they threw is told.
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
