// Classification of camera frames and other pixels in direct buffers, without a copy.
//
// The bytes of a buffer are those from its position to its limit. Position and limit stay unchanged. The bytes must not
// change before a call returns, so give a camera's buffer back after that.

package dev.bedside

import java.nio.ByteBuffer

/** A format without a rotation. `mirrored` says that left and right are exchanged, as front cameras exchange them. */
public fun FrameFormat(layout: FrameLayout, mirrored: Boolean = false): FrameFormat =
    FrameFormat(layout, Rotation.UPRIGHT, mirrored)

/**
 * Classifies one frame of one plane, or one encoded file, without copying it.
 *
 * Runs on the caller's thread for tens to hundreds of milliseconds: do not call it on the main thread.
 * [classifyFrameInBackground] does the same without blocking.
 *
 * @param pixels a direct buffer, which may be read-only. From its position on it holds at least
 *   (height − 1) × row stride bytes and one row of pixels.
 * @param format the layout of the bytes; [classifyYuv420] takes a [FrameLayout.Yuv420]
 * @throws IllegalArgumentException where the buffer is not direct
 * @throws IllegalStateException where the classifier is closed
 * @throws BedsideException as `classify` does; `MalformedImage` where the pixels do not fit the format
 */
@Throws(BedsideException::class)
public fun Classifier.classifyFrame(pixels: ByteBuffer, format: FrameFormat, query: Query = Query()): Report =
    Planes(pixels).classifiedBy(this, format, query)

/**
 * Classifies one YUV 4:2:0 frame without copying it. Each plane is a buffer that begins at its first sample; the
 * buffers of U and V may overlap where their samples are interleaved.
 *
 * Runs on the caller's thread for tens to hundreds of milliseconds: do not call it on the main thread.
 * [classifyYuv420InBackground] does the same without blocking.
 *
 * @param y a direct buffer, which may be read-only. [u] and [v] are such buffers too.
 * @param format the layout of the planes, a [FrameLayout.Yuv420]
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
 * Copies one frame of one plane, or one encoded file, so that it can be classified when the buffer has changed.
 *
 * @param pixels a direct buffer, as [classifyFrame] takes it
 * @param format the layout of the bytes; [fromYuv420] takes a [FrameLayout.Yuv420]
 * @throws IllegalArgumentException where the buffer is not direct
 * @throws BedsideException `MalformedImage` where the pixels do not fit the format; `TooLarge` where the frame has more
 *   than 256 MiB
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromFrame(pixels: ByteBuffer, format: FrameFormat): Image = Planes(pixels).copied(format)

/**
 * Copies one YUV 4:2:0 frame, so that it can be classified when the buffers have changed.
 *
 * @param y a direct buffer, as [classifyYuv420] takes it. [u] and [v] are such buffers too.
 * @param format the layout of the planes, a [FrameLayout.Yuv420]
 * @throws IllegalArgumentException where a buffer is not direct
 * @throws BedsideException `MalformedImage` where the planes do not fit the format; `TooLarge` where they have more
 *   than 256 MiB
 */
@Throws(BedsideException::class)
public fun Image.Companion.fromYuv420(y: ByteBuffer, u: ByteBuffer, v: ByteBuffer, format: FrameFormat): Image =
    Planes(y, u, v).copied(format)
