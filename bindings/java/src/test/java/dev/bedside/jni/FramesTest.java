package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** A frame gives the findings that the same picture gives as a file, in every layout and at every stride. */
class FramesTest {
    private static final String PHOTO = "tests/golden/image/png/rgb.png";
    private static final int WIDTH = 97;
    private static final int HEIGHT = 71;

    /** The format of a picture at a row stride. */
    private interface Layout {
        FrameFormat at(int rowStride);
    }

    private final Classifier classifier = TinyModel.open();
    private final Pixels rgb = Pixels.ppm("tests/golden/image/photo.ppm");
    private final List<FindingValue> wanted = FindingValue.of(classifier.classify(Repository.openImage(PHOTO)));

    /** Each layout that holds this picture without loss. */
    private final Map<Pixels, Layout> layouts = Map.of(
            rgb, stride -> FrameFormat.rgb8(WIDTH, HEIGHT, stride),
            rgb.recoded(4, p -> new byte[] {p[0], p[1], p[2], -1}), stride -> FrameFormat.rgba8(WIDTH, HEIGHT, stride),
            rgb.recoded(4, p -> new byte[] {p[2], p[1], p[0], -1}), stride -> FrameFormat.bgra8(WIDTH, HEIGHT, stride));

    FramesTest() throws BedsideException {}

    @Test
    void frame_of_each_layout_gives_the_files_findings_at_any_stride() throws BedsideException {
        for (Map.Entry<Pixels, Layout> entry : layouts.entrySet()) {
            for (int padding : new int[] {0, 1, 7, 512}) {
                int stride = entry.getKey().stride() + padding;
                ByteBuffer buffer = Pixels.direct(entry.getKey().rows(stride));
                assertEquals(wanted, FindingValue.of(classifier.classifyFrame(buffer, entry.getValue().at(stride))));
            }
        }
    }

    @Test
    void frame_is_read_from_position_to_limit_and_both_stay_unchanged() throws BedsideException {
        for (Map.Entry<Pixels, Layout> entry : layouts.entrySet()) {
            int stride = entry.getKey().stride() + 3;
            FrameFormat format = entry.getValue().at(stride);
            ByteBuffer buffer = Pixels.insideLargerBuffer(entry.getKey().rows(stride));
            ByteBuffer untouched = buffer.duplicate();
            for (ByteBuffer view : List.of(
                    buffer, buffer.slice(), buffer.asReadOnlyBuffer(), buffer.asReadOnlyBuffer().slice())) {
                assertEquals(wanted, FindingValue.of(classifier.classifyFrame(view, format)));
                assertEquals(wanted, FindingValue.of(classifier.classify(Image.fromFrame(view, format))));
            }
            assertEquals(untouched, buffer);
            assertEquals(untouched.position(), buffer.position());
        }
    }

    @Test
    void frame_of_a_mapped_encoded_file_gives_the_files_findings() throws Exception {
        try (FileChannel channel = FileChannel.open(Repository.file(PHOTO))) {
            ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            assertEquals(wanted, FindingValue.of(classifier.classifyFrame(mapped, FrameFormat.encoded())));
            assertEquals(wanted, FindingValue.of(classifier.classify(Image.fromFrame(mapped, FrameFormat.encoded()))));
        }
    }

    @Test
    void frame_with_transparent_pixels_is_composited_over_white() throws BedsideException {
        // Alpha over white: (level × alpha + 255 × (255 − alpha)) / 255, rounded.
        Pixels clear = rgb.recoded(4, p -> new byte[] {p[0], p[1], p[2], p[1]});
        Pixels over = rgb.recoded(3, p -> new byte[] {over(p[0], p[1]), over(p[1], p[1]), over(p[2], p[1])});
        Report blended = classifier.classifyFrame(clear.buffer(), FrameFormat.rgba8(WIDTH, HEIGHT, WIDTH * 4));
        Report opaque = classifier.classifyFrame(over.buffer(), FrameFormat.rgb8(WIDTH, HEIGHT, WIDTH * 3));
        assertEquals(FindingValue.of(opaque), FindingValue.of(blended));
        assertNotEquals(wanted, FindingValue.of(blended));
    }

    private static byte over(byte level, byte alpha) {
        int parts = (level & 0xff) * (alpha & 0xff) + 255 * (255 - (alpha & 0xff));
        return (byte) Math.round(parts / 255.0);
    }

    @Test
    void frame_in_grey_gives_the_grey_files_findings() throws BedsideException {
        Image image = Repository.openImage("tests/golden/image/png/grey.png");
        List<FindingValue> file = FindingValue.of(classifier.classify(image));
        Pixels grey = Pixels.ppm("tests/golden/image/grey.ppm").recoded(1, p -> new byte[] {p[0]});
        ByteBuffer rows = Pixels.insideLargerBuffer(grey.rows(101));
        assertEquals(file, FindingValue.of(classifier.classifyFrame(rows, FrameFormat.gray8(WIDTH, HEIGHT, 101))));
    }

    @Test
    void yuv_frame_without_colour_gives_the_grey_frames_findings() throws BedsideException {
        Pixels grey = rgb.recoded(1, p -> new byte[] {p[1]});
        byte[] neutral = new byte[49 * 36];
        Arrays.fill(neutral, (byte) 128);
        ByteBuffer chroma = Pixels.direct(neutral);
        YuvStrides strides = new YuvStrides(WIDTH, 1, 49, 1, 49, 1);
        FrameFormat format = FrameFormat.yuv420(WIDTH, HEIGHT, strides, YuvMatrix.BT601, YuvRange.FULL);
        assertEquals(
                FindingValue.of(classifier.classifyFrame(grey.buffer(), FrameFormat.gray8(WIDTH, HEIGHT, WIDTH))),
                FindingValue.of(classifier.classifyYuv420(grey.buffer(), chroma, chroma, format)));
    }

    @Test
    void yuv_frame_planar_or_interleaved_matches_the_standards_colours() throws BedsideException {
        for (YuvMatrix matrix : YuvMatrix.values()) {
            for (YuvRange range : YuvRange.values()) {
                Report planar = CameraFrame.planar().classified(classifier, matrix, range);
                Report interleaved = CameraFrame.interleaved().classified(classifier, matrix, range);
                Report vFirst = CameraFrame.interleavedVFirst().classified(classifier, matrix, range);
                assertEquals(FindingValue.of(planar), FindingValue.of(interleaved));
                assertEquals(FindingValue.of(planar), FindingValue.of(vFirst));
                String file = (matrix + "-" + range).toLowerCase(Locale.ROOT) + ".ppm";
                Pixels colours = Pixels.ppm("tests/golden/image/yuv/" + file);
                Report rounded = classifier.classifyFrame(colours.buffer(), upright(colours));
                // The library's colours are within one level of 255 of the standard's in float64.
                for (String label : List.of("a", "b", "c")) {
                    assertEquals(probability(label, rounded), probability(label, planar), 1e-3f, file);
                }
            }
        }
    }

    private static float probability(String label, Report report) {
        return report.getFindings().stream()
                .filter(finding -> finding.getLabel().equals(label))
                .findFirst().orElseThrow().getProbability();
    }

    @Test
    void yuv_frame_gives_other_findings_for_each_matrix_and_range() throws BedsideException {
        Set<List<FindingValue>> all = new HashSet<>();
        for (YuvMatrix matrix : YuvMatrix.values()) {
            for (YuvRange range : YuvRange.values()) {
                all.add(FindingValue.of(CameraFrame.interleaved().classified(classifier, matrix, range)));
            }
        }
        assertEquals(4, all.size());
    }

    @Test
    void yuv_frame_reads_separate_read_only_planes_at_odd_strides() throws BedsideException {
        Report close = CameraFrame.planar().classified(classifier, YuvMatrix.BT601, YuvRange.FULL);
        Report spread = CameraFrame.planar().withSpreadSamples().classified(classifier, YuvMatrix.BT601, YuvRange.FULL);
        assertEquals(FindingValue.of(close), FindingValue.of(spread));
    }

    @Test
    void image_from_yuv_frame_gives_the_frames_findings() throws BedsideException {
        CameraFrame planar = CameraFrame.planar();
        for (CameraFrame frame : List.of(planar, CameraFrame.interleaved(), planar.withSpreadSamples())) {
            FrameFormat format = frame.format(YuvMatrix.BT709, YuvRange.LIMITED);
            Image copy = Image.fromYuv420(frame.y(), frame.u(), frame.v(), format);
            Report borrowed = frame.classified(classifier, YuvMatrix.BT709, YuvRange.LIMITED);
            assertEquals(FindingValue.of(borrowed), FindingValue.of(classifier.classify(copy)));
        }
    }

    @Test
    void frame_with_rotation_gives_the_upright_pictures_findings() throws BedsideException {
        // The pixels that the rotation brings back to the picture.
        Map<Rotation, Pixels> rotated = Map.of(
                Rotation.UPRIGHT, rgb,
                Rotation.CLOCKWISE90, rgb.rearranged(71, 97, (x, y) -> new int[] {96 - y, x}),
                Rotation.CLOCKWISE180, rgb.rearranged(97, 71, (x, y) -> new int[] {96 - x, 70 - y}),
                Rotation.CLOCKWISE270, rgb.rearranged(71, 97, (x, y) -> new int[] {y, 70 - x}));
        for (Rotation rotation : Rotation.values()) {
            Pixels stored = rotated.get(rotation);
            FrameFormat format = upright(stored).rotated(rotation);
            assertEquals(wanted, FindingValue.of(classifier.classifyFrame(stored.buffer(), format)), rotation.name());
            Image copy = Image.fromFrame(stored.buffer(), upright(stored));
            assertEquals(wanted, FindingValue.of(classifier.classify(copy.rotated(rotation))), rotation.name());
            if (rotation != Rotation.UPRIGHT) {
                List<FindingValue> wrong = FindingValue.of(classifier.classify(copy));
                assertNotEquals(wanted, wrong, "a wrong rotation changes the findings");
            }
        }
    }

    @Test
    void frame_is_rotated_before_it_is_mirrored() throws BedsideException {
        Pixels mirrored = rgb.rearranged(97, 71, (x, y) -> new int[] {96 - x, y});
        Pixels rotated = mirrored.rearranged(71, 97, (x, y) -> new int[] {96 - y, x});
        FrameFormat both = upright(rotated).rotated(Rotation.CLOCKWISE90).mirrored();
        FrameFormat once = upright(mirrored).mirrored();
        FrameFormat twice = upright(rgb).mirrored().mirrored();
        assertEquals(wanted, FindingValue.of(classifier.classifyFrame(mirrored.buffer(), once)));
        assertEquals(wanted, FindingValue.of(classifier.classifyFrame(rotated.buffer(), both)));
        assertEquals(wanted, FindingValue.of(classifier.classifyFrame(rgb.buffer(), twice)));
        Image copy = Image.fromFrame(rotated.buffer(), upright(rotated));
        assertEquals(wanted, FindingValue.of(classifier.classify(copy.mirrored().rotated(Rotation.CLOCKWISE90))));
    }

    @Test
    void yuv_frame_with_rotation_gives_the_findings_of_its_rotated_copy() throws BedsideException {
        CameraFrame frame = CameraFrame.interleaved();
        FrameFormat format = frame.format(YuvMatrix.BT601, YuvRange.FULL);
        Image copy = Image.fromYuv420(frame.y(), frame.u(), frame.v(), format);
        Set<List<FindingValue>> all = new HashSet<>();
        for (Rotation rotation : Rotation.values()) {
            Report rotated = classifier.classifyYuv420(frame.y(), frame.u(), frame.v(), format.rotated(rotation));
            assertEquals(FindingValue.of(classifier.classify(copy.rotated(rotation))), FindingValue.of(rotated));
            all.add(FindingValue.of(rotated));
        }
        assertEquals(4, all.size());
    }

    @Test
    void image_from_frame_keeps_its_own_copy() throws BedsideException {
        ByteBuffer buffer = rgb.buffer();
        Image copy = Image.fromFrame(buffer, upright(rgb));
        while (buffer.hasRemaining()) {
            buffer.put((byte) 0);
        }
        assertEquals(wanted, FindingValue.of(classifier.classify(copy)));
    }

    @Test
    void frame_in_a_heap_buffer_is_refused_with_advice() {
        ByteBuffer heap = ByteBuffer.wrap(rgb.bytes());
        ByteBuffer direct = rgb.buffer();
        FrameFormat format = upright(rgb);
        List<Executable> calls = List.of(
                () -> classifier.classifyFrame(heap, format),
                () -> classifier.classifyFrame(heap.asReadOnlyBuffer(), format),
                () -> Image.fromFrame(heap, format),
                () -> classifier.classifyYuv420(heap, direct, direct, format),
                () -> classifier.classifyYuv420(direct, heap, direct, format),
                () -> classifier.classifyYuv420(direct, direct, heap, format),
                () -> Image.fromYuv420(direct, direct, heap, format));
        for (Executable call : calls) {
            String message = assertThrows(IllegalArgumentException.class, call).getMessage();
            assertTrue(message.contains("ByteBuffer.allocateDirect"), message);
        }
    }

    @Test
    void frame_whose_size_does_not_fit_the_buffer_is_malformed() {
        ByteBuffer buffer = rgb.buffer();
        int max = Integer.MAX_VALUE;
        YuvStrides strides = new YuvStrides(max, max, max, max, max, max);
        List<FrameFormat> misfits = List.of(
                FrameFormat.rgb8(WIDTH, HEIGHT + 1, 291),
                FrameFormat.rgb8(WIDTH + 1, HEIGHT, 291),
                FrameFormat.rgb8(WIDTH, HEIGHT, 292),
                FrameFormat.rgb8(WIDTH, HEIGHT, 290),
                FrameFormat.rgb8(WIDTH, HEIGHT, 0),
                FrameFormat.rgb8(WIDTH, HEIGHT, max),
                FrameFormat.rgb8(0, HEIGHT, 291),
                FrameFormat.rgb8(WIDTH, 0, 291),
                FrameFormat.rgb8(max, max, max),
                FrameFormat.rgba8(WIDTH, HEIGHT, 388),
                FrameFormat.bgra8(max, 1, max),
                FrameFormat.gray8(1, max, max),
                FrameFormat.yuv420(WIDTH, HEIGHT, new YuvStrides(97, 1, 49, 1, 49, 1), YuvMatrix.BT601, YuvRange.FULL),
                FrameFormat.yuv420(max, max, strides, YuvMatrix.BT601, YuvRange.FULL));
        for (FrameFormat misfit : misfits) {
            assertMalformed(() -> classifier.classifyFrame(buffer, misfit));
            assertMalformed(() -> Image.fromFrame(buffer, misfit));
        }
    }

    @Test
    void yuv_frame_whose_strides_do_not_fit_is_malformed() {
        CameraFrame frame = CameraFrame.planar();
        int max = Integer.MAX_VALUE;
        List<YuvStrides> misfits = List.of(
                new YuvStrides(37, 0, 19, 1, 19, 1),
                new YuvStrides(36, 1, 19, 1, 19, 1),
                new YuvStrides(37, 1, 20, 1, 19, 1),
                new YuvStrides(37, 1, 19, 1, 38, 2),
                new YuvStrides(max, 1, 19, 1, 19, 1),
                new YuvStrides(37, max, 19, 1, 19, 1),
                new YuvStrides(37, 1, max, max, max, max));
        for (YuvStrides strides : misfits) {
            FrameFormat format = FrameFormat.yuv420(37, 23, strides, YuvMatrix.BT601, YuvRange.FULL);
            assertMalformed(() -> classifier.classifyYuv420(frame.y(), frame.u(), frame.v(), format));
            assertMalformed(() -> Image.fromYuv420(frame.y(), frame.u(), frame.v(), format));
        }
    }

    @Test
    void frame_with_a_size_below_zero_is_an_error_that_names_it() {
        ByteBuffer buffer = rgb.buffer();
        YuvStrides strides = new YuvStrides(97, 1, 49, Integer.MIN_VALUE, 49, 1);
        Map<String, FrameFormat> negative = Map.of(
                "width is -97", FrameFormat.rgb8(-WIDTH, HEIGHT, 291),
                "height is -1", FrameFormat.gray8(WIDTH, -1, 291),
                "row_stride is -291", FrameFormat.rgb8(WIDTH, HEIGHT, -291),
                "u_pixel is -2147483648", FrameFormat.yuv420(WIDTH, HEIGHT, strides, YuvMatrix.BT601, YuvRange.FULL));
        negative.forEach((named, format) -> {
            List<Executable> calls = List.of(
                    () -> classifier.classifyYuv420(buffer, buffer, buffer, format),
                    () -> Image.fromFrame(buffer, format));
            for (Executable call : calls) {
                String message = assertThrows(BedsideException.class, call).getMessage();
                assertTrue(message.contains(named), message);
            }
        });
    }

    @Test
    void frame_of_three_planes_with_a_layout_of_one_is_malformed() {
        CameraFrame frame = CameraFrame.planar();
        for (FrameFormat one : List.of(FrameFormat.gray8(1, 1, 1), FrameFormat.encoded())) {
            assertMalformed(() -> classifier.classifyYuv420(frame.y(), frame.u(), frame.v(), one));
        }
    }

    @Test
    void frame_in_an_empty_buffer_is_an_error() {
        ByteBuffer full = rgb.buffer();
        for (ByteBuffer nothing : List.of(ByteBuffer.allocateDirect(0), full.duplicate().position(full.limit()))) {
            assertMalformed(() -> classifier.classifyFrame(nothing, upright(rgb)));
            assertMalformed(() -> classifier.classifyYuv420(nothing, nothing, nothing,
                    CameraFrame.planar().format(YuvMatrix.BT601, YuvRange.FULL)));
            assertThrows(BedsideException.class, () -> classifier.classifyFrame(nothing, FrameFormat.encoded()));
        }
        assertThrows(BedsideException.class, () -> classifier.classify(Image.fromBytes(new byte[0])));
    }

    private static void assertMalformed(Executable call) {
        BedsideException error = assertThrows(BedsideException.class, call);
        assertEquals(ErrorKind.MALFORMED_IMAGE, error.getKind(), error.getMessage());
    }

    private static FrameFormat upright(Pixels pixels) {
        return FrameFormat.rgb8(pixels.width(), pixels.height(), pixels.stride());
    }
}
