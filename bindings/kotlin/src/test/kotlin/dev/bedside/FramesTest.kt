// A frame gives the findings that the same picture gives as a file, in every layout and at every stride.

package dev.bedside

import java.lang.ref.WeakReference
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.StandardOpenOption
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNotEquals
import kotlinx.coroutines.runBlocking

class FramesTest {
    private val classifier = TinyModel.open()
    private val file = Repository.golden("image/png/rgb.png")
    private val rgb = Pixels.png(file)
    private val wanted = classifier.classify(Image.open(file.path)).findings

    /** Each layout that holds this picture without loss, with the pixels in that layout. */
    private val layouts: List<Pair<Pixels, (UInt) -> FrameLayout>> = listOf(
        rgb to { stride -> FrameLayout.Rgb8(97u, 71u, stride) },
        rgb.recoded(4) { (r, g, b) -> byteArrayOf(r, g, b, -1) } to { stride -> FrameLayout.Rgba8(97u, 71u, stride) },
        rgb.recoded(4) { (r, g, b) -> byteArrayOf(b, g, r, -1) } to { stride -> FrameLayout.Bgra8(97u, 71u, stride) },
    )

    @Test
    fun frame_of_each_layout_gives_the_files_findings_at_any_stride() {
        for ((pixels, layout) in layouts) {
            for (padding in listOf(0, 1, 7, 512)) {
                val stride = pixels.width * pixels.channels + padding
                val format = FrameFormat(layout(stride.toUInt()))
                assertEquals(wanted, classifier.classifyFrame(directBuffer(pixels.rows(stride)), format).findings)
            }
        }
    }

    @Test
    fun frame_is_read_from_position_to_limit_and_both_stay_unchanged() {
        for ((pixels, layout) in layouts) {
            val stride = pixels.width * pixels.channels + 3
            val format = FrameFormat(layout(stride.toUInt()))
            val buffer = insideLargerBuffer(pixels.rows(stride))
            val (position, limit) = buffer.position() to buffer.limit()
            for (view in listOf(buffer, buffer.slice(), buffer.asReadOnlyBuffer(), buffer.asReadOnlyBuffer().slice())) {
                assertEquals(wanted, classifier.classifyFrame(view, format).findings)
                assertEquals(wanted, classifier.classify(Image.fromFrame(view, format)).findings)
            }
            assertEquals(position to limit, buffer.position() to buffer.limit())
        }
    }

    @Test
    fun frame_of_a_mapped_encoded_file_gives_the_files_findings() {
        FileChannel.open(file.toPath(), StandardOpenOption.READ).use { channel ->
            val mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size())
            assertEquals(wanted, classifier.classifyFrame(mapped, FrameFormat(FrameLayout.Encoded)).findings)
        }
    }

    @Test
    fun frame_classified_in_background_gives_the_files_findings() = runBlocking {
        val format = FrameFormat(FrameLayout.Rgb8(97u, 71u, 300u))
        val report = classifier.classifyFrameInBackground(insideLargerBuffer(rgb.rows(300)).asReadOnlyBuffer(), format)
        assertEquals(wanted, report.findings)
    }

    @Test
    fun frame_with_transparent_pixels_gives_the_files_findings() {
        val file = Repository.golden("image/png/rgba.png")
        val pixels = Pixels.png(file)
        val format = FrameFormat(FrameLayout.Rgba8(97u, 71u, 400u))
        assertEquals(
            classifier.classify(Image.open(file.path)).findings,
            classifier.classifyFrame(directBuffer(pixels.rows(400)), format).findings,
        )
    }

    @Test
    fun frame_in_grey_gives_the_grey_files_findings() {
        val file = Repository.golden("image/png/grey.png")
        val pixels = Pixels.png(file)
        val format = FrameFormat(FrameLayout.Gray8(pixels.width.toUInt(), pixels.height.toUInt(), 101u))
        assertEquals(
            classifier.classify(Image.open(file.path)).findings,
            classifier.classifyFrame(insideLargerBuffer(pixels.rows(101)), format).findings,
        )
    }

    @Test
    fun yuv_frame_planar_or_interleaved_matches_the_standards_colours() {
        for (matrix in YuvMatrix.entries) {
            for (range in YuvRange.entries) {
                val colours = Pixels.ppm(Repository.golden("image/yuv/$matrix-$range.ppm".lowercase()))
                val rounded = classifier.classifyFrame(directBuffer(colours.bytes), upright(colours))
                val planar = Yuv.i420.classified(matrix, range)
                // The library's colours are within one level of 255 of the standard's in float64.
                for ((label, probability) in planar.probabilities) {
                    assertEquals(rounded.probabilities.getValue(label), probability, 1e-3f, "$matrix $range")
                }
                assertEquals(planar.bits, Yuv.nv12.classified(matrix, range).bits)
                assertEquals(planar.bits, Yuv.nv21.classified(matrix, range).bits)
            }
        }
    }

    @Test
    fun yuv_frame_gives_other_findings_for_each_matrix_and_range() {
        val all = YuvMatrix.entries.flatMap { matrix -> YuvRange.entries.map { Yuv.nv21.classified(matrix, it).bits } }
        assertEquals(4, all.toSet().size)
    }

    @Test
    fun image_from_yuv_frame_gives_the_frames_findings() {
        val (y, u, v) = Yuv.nv21.planes
        val image = Image.fromYuv420(y, u, v, FrameFormat(Yuv.nv21.layout()))
        assertEquals(Yuv.nv21.classified().bits, classifier.classify(image).bits)
    }

    @Test
    fun yuv_frame_reads_separate_read_only_planes_at_odd_strides() {
        val (y, u, v) = Yuv.i420.planes
        val planes = listOf(
            spread(y, 37, 23, pixelStride = 1),
            spread(u, 19, 12, pixelStride = 3),
            spread(v, 19, 12, pixelStride = 2),
        )
        val strides = YuvStrides(yRow = 42u, yPixel = 1u, uRow = 62u, uPixel = 3u, vRow = 43u, vPixel = 2u)
        val format = FrameFormat(FrameLayout.Yuv420(37u, 23u, strides, YuvMatrix.BT601, YuvRange.FULL))
        val report = classifier.classifyYuv420(planes[0], planes[1], planes[2], format)
        assertEquals(Yuv.i420.classified().bits, report.bits)
    }

    /**
     * The samples of a plane at this pixel stride, with 5 bytes of padding after each row, in a part of a larger
     * buffer.
     */
    private fun spread(plane: ByteBuffer, width: Int, height: Int, pixelStride: Int): ByteBuffer {
        val samples = Pixels(width, height, 1, ByteArray(width * height).also { plane.duplicate().get(it) })
        val padded = samples.recoded(pixelStride) { (sample) ->
            ByteArray(pixelStride) { PADDING }.also { it[0] = sample }
        }
        return insideLargerBuffer(padded.rows(width * pixelStride + 5)).asReadOnlyBuffer()
    }

    private fun Yuv.classified(matrix: YuvMatrix = YuvMatrix.BT601, range: YuvRange = YuvRange.FULL): Report {
        val (y, u, v) = planes
        return classifier.classifyYuv420(y, u, v, FrameFormat(layout(matrix, range)))
    }

    private val Report.probabilities get() = findings.associate { it.label to it.probability }

    /** For each rotation, the pixels that it brings back to the picture. */
    private val rotated: Map<Rotation, Pixels> = mapOf(
        Rotation.UPRIGHT to rgb,
        Rotation.CLOCKWISE90 to rgb.rearranged(71, 97) { x, y -> 96 - y to x },
        Rotation.CLOCKWISE180 to rgb.rearranged(97, 71) { x, y -> 96 - x to 70 - y },
        Rotation.CLOCKWISE270 to rgb.rearranged(71, 97) { x, y -> y to 70 - x },
    )

    @Test
    fun frame_with_rotation_gives_the_upright_pictures_findings() {
        assertEquals(Rotation.entries.toSet(), rotated.keys)
        for ((rotation, stored) in rotated) {
            val buffer = directBuffer(stored.bytes)
            val format = FrameFormat(upright(stored).layout, rotation)
            assertEquals(wanted, classifier.classifyFrame(buffer, format).findings, "$rotation")
            val image = Image.fromFrame(buffer, upright(stored)).rotated(rotation)
            assertEquals(wanted, classifier.classify(image).findings)
            val wrong = classifier.classifyFrame(buffer, upright(stored)).findings
            if (rotation != Rotation.UPRIGHT) assertNotEquals(wanted, wrong, "a wrong rotation changes the findings")
        }
    }

    @Test
    fun frame_is_rotated_before_it_is_mirrored() {
        val mirrored = rgb.rearranged(97, 71) { x, y -> 96 - x to y }
        val rotated = mirrored.rearranged(71, 97) { x, y -> 96 - y to x }
        val straight = FrameFormat(upright(mirrored).layout, mirrored = true)
        assertEquals(wanted, classifier.classifyFrame(directBuffer(mirrored.bytes), straight).findings)
        val both = FrameFormat(upright(rotated).layout, Rotation.CLOCKWISE90, mirrored = true)
        assertEquals(wanted, classifier.classifyFrame(directBuffer(rotated.bytes), both).findings)
        val image = Image.fromFrame(directBuffer(rotated.bytes), upright(rotated))
        assertEquals(wanted, classifier.classify(image.mirrored().rotated(Rotation.CLOCKWISE90)).findings)
    }

    @Test
    fun image_from_frame_keeps_its_own_copy() {
        val buffer = directBuffer(rgb.bytes)
        val image = Image.fromFrame(buffer, upright(rgb))
        while (buffer.hasRemaining()) buffer.put(0)
        assertEquals(wanted, classifier.classify(image).findings)
    }

    @Test
    fun frame_in_a_heap_buffer_is_refused_with_advice() {
        val (heap, direct) = ByteBuffer.wrap(rgb.bytes) to directBuffer(rgb.bytes)
        val calls = listOf<() -> Any>(
            { classifier.classifyFrame(heap, upright(rgb)) },
            { Image.fromFrame(heap, upright(rgb)) },
            { classifier.classifyYuv420(direct, heap, direct, upright(rgb)) },
            { Image.fromYuv420(direct, direct, heap, upright(rgb)) },
            { runBlocking { classifier.classifyFrameInBackground(heap, upright(rgb)) } },
        )
        for (call in calls) {
            assertContains(assertFailsWith<IllegalArgumentException> { call() }.message!!, "ByteBuffer.allocateDirect")
        }
    }

    @Test
    fun frame_whose_size_does_not_fit_the_buffer_is_an_error() {
        val buffer = directBuffer(rgb.bytes)
        val misfits = listOf(
            FrameLayout.Rgb8(97u, 72u, 291u),
            FrameLayout.Rgb8(98u, 71u, 291u),
            FrameLayout.Rgb8(97u, 71u, 292u),
            FrameLayout.Rgba8(97u, 71u, 388u),
            FrameLayout.Rgb8(0u, 71u, 291u),
            FrameLayout.Rgb8(UInt.MAX_VALUE, UInt.MAX_VALUE, UInt.MAX_VALUE),
            Yuv.i420.layout(),
        )
        for (layout in misfits) {
            val format = FrameFormat(layout)
            assertFailsWith<BedsideException>("$layout") { classifier.classifyFrame(buffer, format) }
            assertFailsWith<BedsideException>("$layout") { Image.fromFrame(buffer, format) }
        }
        val (y, u, v) = Yuv.i420.planes
        assertFailsWith<BedsideException.MalformedImage> { classifier.classifyYuv420(y, u, v, upright(rgb)) }
        val nothing = ByteBuffer.allocateDirect(0)
        assertFailsWith<BedsideException.MalformedImage> { classifier.classifyFrame(nothing, upright(rgb)) }
        assertFailsWith<BedsideException> { classifier.classifyFrame(nothing, FrameFormat(FrameLayout.Encoded)) }
    }

    @Test
    fun frame_without_another_reference_is_not_collected_during_the_call() {
        lateinit var frame: WeakReference<ByteBuffer>
        val format = FrameFormat(FrameLayout.Gray8(1u, 1u, 1u))
        val call = { classifier.classifyFrame(directBuffer(byteArrayOf(1)).also { frame = WeakReference(it) }, format) }
        // Only compiled code drops a reference after its last use; the interpreter keeps it.
        repeat(CALLS_UNTIL_COMPILED) { call() }
        var lost = 0
        val collect = {
            System.gc()
            if (frame.get() == null) lost += 1
        }
        Stages.during({ stage -> if (stage == "decode") collect() }) { repeat(20) { call() } }
        assertEquals(0, lost, "collected while the core read it")
    }

    private fun upright(pixels: Pixels) = FrameFormat(
        FrameLayout.Rgb8(pixels.width.toUInt(), pixels.height.toUInt(), (pixels.width * 3).toUInt()),
    )

    private companion object {
        const val CALLS_UNTIL_COMPILED = 3000
    }
}

/** A camera frame of 37×23 pixels in one of its layouts: a file with three planes. */
private class Yuv(
    private val name: String,
    private val u: Int,
    private val v: Int,
    private val rowStride: UInt,
    private val pixelStride: UInt,
) {
    /** Three views of one buffer, each from its plane's first sample to the end of the frame. */
    val planes: List<ByteBuffer>
        get() {
            val frame = directBuffer(Repository.golden("image/yuv/$name.bin").readBytes())
            return listOf(0, u, v).map { start -> frame.duplicate().apply { position(start) } }
        }

    fun layout(matrix: YuvMatrix = YuvMatrix.BT601, range: YuvRange = YuvRange.FULL) =
        FrameLayout.Yuv420(37u, 23u, YuvStrides(37u, 1u, rowStride, pixelStride, rowStride, pixelStride), matrix, range)

    companion object {
        private const val Y = 37 * 23
        private const val CHROMA = 19 * 12

        val i420 = Yuv("i420", Y, Y + CHROMA, 19u, 1u)
        val nv12 = Yuv("nv12", Y, Y + 1, 38u, 2u)
        val nv21 = Yuv("nv21", Y + 1, Y, 38u, 2u)
    }
}
