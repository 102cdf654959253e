// Camera frames and other pixels in direct buffers, looked at where they are.
//
// A buffer's bytes are those from its position to its limit; position and limit stay as they are. The bytes must not
// change before a call returns: hand a camera's buffer back after that.

package dev.bedside

import java.nio.ByteBuffer

/** A format without a turn: the frame is upright. Mirrored where left and right are exchanged, as by front cameras. */
public fun FrameFormat(layout: FrameLayout, mirrored: Boolean = false): FrameFormat =
    FrameFormat(layout, Rotation.UPRIGHT, mirrored)

/**
 * Looks at one frame of one plane, or at one encoded file, without copying it.
 *
 * Runs on the caller's thread, for tens to hundreds of milliseconds: not on one that draws a screen.
 * [classifyFrameInBackground] does the same without blocking.
 *
 * @param pixels a direct buffer; read-only ones will do. From its position on it holds at least
 *   (height − 1) × row stride bytes and one row of pixels.
 * @param format how the bytes are to be read; for [FrameLayout.Yuv420] there is [classifyYuv420]
 * @throws IllegalArgumentException where the buffer is not direct
 * @throws IllegalStateException where the classifier is closed
 * @throws BedsideException as `classify` does; `MalformedImage` where the pixels do not fit the format
 */
@Throws(BedsideException::class)
public fun Classifier.classifyFrame(pixels: ByteBuffer, format: FrameFormat, query: Query = Query()): Report =
    Planes(pixels).classifiedBy(this, format, query)

/**
 * Looks at one YUV 4:2:0 frame without copying it: three planes, or two whose U and V alternate, each given as a buffer
 * that begins at its first sample.
 *
 * Runs on the caller's thread, for tens to hundreds of milliseconds: not on one that draws a screen.
 * [classifyYuv420InBackground] does the same without blocking.
 *
 * @param y a direct buffer; read-only ones will do. The same goes for [u] and [v].
 * @param format its layout is a [FrameLayout.Yuv420]
 * @throws IllegalArgumentException where a buffer is not direct
 * @throws IllegalStateException where the classifier is closed
 * @throws BedsideException as `classify` does; `MalformedImage` where the planes do not fit the format
 */
@Throws(BedsideException::class)
public fun Classifier.classifyYuv420(
    y: ByteBuffer,
    u: ByteBuffer,
    v: ByteBuffer,
    format: FrameFormat,
    query: Query = Query(),
): Report = Planes(y, u, v).classifiedBy(this, format, query)

/**
 * A copy of one frame of one plane, which may be looked at after the buffer is gone.
 *
 * @param pixels a direct buffer, as [classifyFrame] takes it
 * @param format how the bytes are to be read; for [FrameLayout.Yuv420] there is [fromYuv420]
 * @throws IllegalArgumentException where the buffer is not direct
 * @throws BedsideException `MalformedImage` where the pixels do not fit the format
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromFrame(pixels: ByteBuffer, format: FrameFormat): Image = Planes(pixels).copied(format)

/**
 * A copy of one YUV 4:2:0 frame, which may be looked at after the buffers are gone.
 *
 * @param y a direct buffer, as [classifyYuv420] takes it. The same goes for [u] and [v].
 * @param format its layout is a [FrameLayout.Yuv420]
 * @throws IllegalArgumentException where a buffer is not direct
 * @throws BedsideException `MalformedImage` where the planes do not fit the format
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromYuv420(y: ByteBuffer, u: ByteBuffer, v: ByteBuffer, format: FrameFormat): Image =
    Planes(y, u, v).copied(format)
