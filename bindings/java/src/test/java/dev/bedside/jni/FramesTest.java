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

/** A frame gives what the same picture gives as a file, however its bytes lie. */
class FramesTest {
    private static final String PHOTO = "tests/golden/image/png/rgb.png";
    private static final int WIDTH = 97;
    private static final int HEIGHT = 71;

    /** How a picture's rows are described at a stride. */
    private interface Layout {
        FrameFormat at(int rowStride);
    }

    private final Classifier classifier = Tiny.open();
    private final Pixels rgb = Pixels.ppm("tests/golden/image/photo.ppm");
    private final List<Found> wanted = Found.in(classifier.classify(Repository.openImage(PHOTO)));

    /** Each way to hold this picture exactly. */
    private final Map<Pixels, Layout> layouts = Map.of(
            rgb, stride -> FrameFormat.rgb8(WIDTH, HEIGHT, stride),
            rgb.recoded(4, p -> new byte[] {p[0], p[1], p[2], -1}), stride -> FrameFormat.rgba8(WIDTH, HEIGHT, stride),
            rgb.recoded(4, p -> new byte[] {p[2], p[1], p[0], -1}), stride -> FrameFormat.bgra8(WIDTH, HEIGHT, stride));

    FramesTest() throws BedsideException {}

    @Test
    void each_layout_gives_the_files_findings_at_any_stride() throws BedsideException {
        for (Map.Entry<Pixels, Layout> entry : layouts.entrySet()) {
            for (int padding : new int[] {0, 1, 7, 512}) {
                int stride = entry.getKey().stride() + padding;
                ByteBuffer buffer = Pixels.direct(entry.getKey().rows(stride));
                assertEquals(wanted, Found.in(classifier.classifyFrame(buffer, entry.getValue().at(stride))));
            }
        }
    }

    @Test
    void the_bytes_are_those_from_position_to_limit_and_both_stay() throws BedsideException {
        for (Map.Entry<Pixels, Layout> entry : layouts.entrySet()) {
            int stride = entry.getKey().stride() + 3;
            FrameFormat format = entry.getValue().at(stride);
            ByteBuffer buffer = Pixels.insideOfAnother(entry.getKey().rows(stride));
            ByteBuffer untouched = buffer.duplicate();
            for (ByteBuffer view : List.of(
                    buffer, buffer.slice(), buffer.asReadOnlyBuffer(), buffer.asReadOnlyBuffer().slice())) {
                assertEquals(wanted, Found.in(classifier.classifyFrame(view, format)));
                assertEquals(wanted, Found.in(classifier.classify(Image.fromFrame(view, format))));
            }
            assertEquals(untouched, buffer);
            assertEquals(untouched.position(), buffer.position());
        }
    }

    @Test
    void an_encoded_file_is_read_where_it_is_mapped() throws Exception {
        try (FileChannel channel = FileChannel.open(Repository.file(PHOTO))) {
            ByteBuffer mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
            assertEquals(wanted, Found.in(classifier.classifyFrame(mapped, FrameFormat.encoded())));
            assertEquals(wanted, Found.in(classifier.classify(Image.fromFrame(mapped, FrameFormat.encoded()))));
        }
    }

    @Test
    void transparent_pixels_are_laid_over_white() throws BedsideException {
        // Of 255 parts, alpha are the colour and the rest is white; a fraction of a level is rounded.
        Pixels clear = rgb.recoded(4, p -> new byte[] {p[0], p[1], p[2], p[1]});
        Pixels over = rgb.recoded(3, p -> new byte[] {over(p[0], p[1]), over(p[1], p[1]), over(p[2], p[1])});
        Report blended = classifier.classifyFrame(clear.buffer(), FrameFormat.rgba8(WIDTH, HEIGHT, WIDTH * 4));
        Report opaque = classifier.classifyFrame(over.buffer(), FrameFormat.rgb8(WIDTH, HEIGHT, WIDTH * 3));
        assertEquals(Found.in(opaque), Found.in(blended));
        assertNotEquals(wanted, Found.in(blended));
    }

    private static byte over(byte level, byte alpha) {
        int parts = (level & 0xff) * (alpha & 0xff) + 255 * (255 - (alpha & 0xff));
        return (byte) Math.round(parts / 255.0);
    }

    @Test
    void grey_gives_the_grey_files_findings() throws BedsideException {
        List<Found> file = Found.in(classifier.classify(Repository.openImage("tests/golden/image/png/grey.png")));
        Pixels grey = Pixels.ppm("tests/golden/image/grey.ppm").recoded(1, p -> new byte[] {p[0]});
        ByteBuffer rows = Pixels.insideOfAnother(grey.rows(101));
        assertEquals(file, Found.in(classifier.classifyFrame(rows, FrameFormat.gray8(WIDTH, HEIGHT, 101))));
    }

    @Test
    void a_yuv_frame_without_colour_is_the_grey_frame() throws BedsideException {
        Pixels grey = rgb.recoded(1, p -> new byte[] {p[1]});
        byte[] neutral = new byte[49 * 36];
        Arrays.fill(neutral, (byte) 128);
        ByteBuffer chroma = Pixels.direct(neutral);
        YuvStrides strides = new YuvStrides(WIDTH, 1, 49, 1, 49, 1);
        FrameFormat format = FrameFormat.yuv420(WIDTH, HEIGHT, strides, YuvMatrix.BT601, YuvRange.FULL);
        assertEquals(
                Found.in(classifier.classifyFrame(grey.buffer(), FrameFormat.gray8(WIDTH, HEIGHT, WIDTH))),
                Found.in(classifier.classifyYuv420(grey.buffer(), chroma, chroma, format)));
    }

    @Test
    void planar_and_alternating_yuv_give_the_same_and_nearly_that_of_the_standards_colours() throws BedsideException {
        for (YuvMatrix matrix : YuvMatrix.values()) {
            for (YuvRange range : YuvRange.values()) {
                Report planar = CameraFrame.planar().classified(classifier, matrix, range);
                Report alternating = CameraFrame.alternating().classified(classifier, matrix, range);
                Report vFirst = CameraFrame.alternatingVFirst().classified(classifier, matrix, range);
                assertEquals(Found.in(planar), Found.in(alternating));
                assertEquals(Found.in(planar), Found.in(vFirst));
                String file = (matrix + "-" + range).toLowerCase(Locale.ROOT) + ".ppm";
                Pixels colours = Pixels.ppm("tests/golden/image/yuv/" + file);
                Report rounded = classifier.classifyFrame(colours.buffer(), upright(colours));
                // Colours are within one level of 255 of the standard's, which float64 gives.
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
    void matrix_and_range_matter() throws BedsideException {
        Set<List<Found>> all = new HashSet<>();
        for (YuvMatrix matrix : YuvMatrix.values()) {
            for (YuvRange range : YuvRange.values()) {
                all.add(Found.in(CameraFrame.alternating().classified(classifier, matrix, range)));
            }
        }
        assertEquals(4, all.size());
    }

    @Test
    void yuv_planes_may_lie_apart_at_odd_strides_in_read_only_buffers() throws BedsideException {
        Report close = CameraFrame.planar().classified(classifier, YuvMatrix.BT601, YuvRange.FULL);
        Report apart = CameraFrame.planar().apart().classified(classifier, YuvMatrix.BT601, YuvRange.FULL);
        assertEquals(Found.in(close), Found.in(apart));
    }

    @Test
    void a_copy_of_a_yuv_frame_gives_what_the_frame_gives() throws BedsideException {
        CameraFrame planar = CameraFrame.planar();
        for (CameraFrame frame : List.of(planar, CameraFrame.alternating(), planar.apart())) {
            FrameFormat format = frame.format(YuvMatrix.BT709, YuvRange.LIMITED);
            Image copy = Image.fromYuv420(frame.y(), frame.u(), frame.v(), format);
            Report borrowed = frame.classified(classifier, YuvMatrix.BT709, YuvRange.LIMITED);
            assertEquals(Found.in(borrowed), Found.in(classifier.classify(copy)));
        }
    }

    @Test
    void a_turned_frame_gives_the_upright_ones_findings() throws BedsideException {
        // What is stored such that the turn brings the picture back.
        Map<Rotation, Pixels> turned = Map.of(
                Rotation.UPRIGHT, rgb,
                Rotation.CLOCKWISE90, rgb.rearranged(71, 97, (x, y) -> new int[] {96 - y, x}),
                Rotation.CLOCKWISE180, rgb.rearranged(97, 71, (x, y) -> new int[] {96 - x, 70 - y}),
                Rotation.CLOCKWISE270, rgb.rearranged(71, 97, (x, y) -> new int[] {y, 70 - x}));
        for (Rotation rotation : Rotation.values()) {
            Pixels stored = turned.get(rotation);
            FrameFormat format = upright(stored).rotated(rotation);
            assertEquals(wanted, Found.in(classifier.classifyFrame(stored.buffer(), format)), rotation.name());
            Image copy = Image.fromFrame(stored.buffer(), upright(stored));
            assertEquals(wanted, Found.in(classifier.classify(copy.rotated(rotation))), rotation.name());
            if (rotation != Rotation.UPRIGHT) {
                assertNotEquals(wanted, Found.in(classifier.classify(copy)), "this picture shows a wrong turn");
            }
        }
    }

    @Test
    void a_mirrored_frame_is_turned_first_and_mirrored_then() throws BedsideException {
        Pixels mirrored = rgb.rearranged(97, 71, (x, y) -> new int[] {96 - x, y});
        Pixels turned = mirrored.rearranged(71, 97, (x, y) -> new int[] {96 - y, x});
        FrameFormat both = upright(turned).rotated(Rotation.CLOCKWISE90).mirrored();
        assertEquals(wanted, Found.in(classifier.classifyFrame(mirrored.buffer(), upright(mirrored).mirrored())));
        assertEquals(wanted, Found.in(classifier.classifyFrame(turned.buffer(), both)));
        assertEquals(wanted, Found.in(classifier.classifyFrame(rgb.buffer(), upright(rgb).mirrored().mirrored())));
        Image copy = Image.fromFrame(turned.buffer(), upright(turned));
        assertEquals(wanted, Found.in(classifier.classify(copy.mirrored().rotated(Rotation.CLOCKWISE90))));
    }

    @Test
    void a_turned_camera_frame_is_its_turned_copy() throws BedsideException {
        CameraFrame frame = CameraFrame.alternating();
        FrameFormat format = frame.format(YuvMatrix.BT601, YuvRange.FULL);
        Image copy = Image.fromYuv420(frame.y(), frame.u(), frame.v(), format);
        Set<List<Found>> all = new HashSet<>();
        for (Rotation rotation : Rotation.values()) {
            Report turned = classifier.classifyYuv420(frame.y(), frame.u(), frame.v(), format.rotated(rotation));
            assertEquals(Found.in(classifier.classify(copy.rotated(rotation))), Found.in(turned));
            all.add(Found.in(turned));
        }
        assertEquals(4, all.size());
    }

    @Test
    void a_copy_outlives_what_becomes_of_the_buffer() throws BedsideException {
        ByteBuffer buffer = rgb.buffer();
        Image copy = Image.fromFrame(buffer, upright(rgb));
        while (buffer.hasRemaining()) {
            buffer.put((byte) 0);
        }
        assertEquals(wanted, Found.in(classifier.classify(copy)));
    }

    @Test
    void a_heap_buffer_is_refused_with_what_to_use() {
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
    void sizes_that_do_not_fit_are_malformed_and_nothing_is_read_beside_the_buffer() {
        ByteBuffer buffer = rgb.buffer();
        int most = Integer.MAX_VALUE;
        YuvStrides strides = new YuvStrides(most, most, most, most, most, most);
        List<FrameFormat> misfits = List.of(
                FrameFormat.rgb8(WIDTH, HEIGHT + 1, 291),
                FrameFormat.rgb8(WIDTH + 1, HEIGHT, 291),
                FrameFormat.rgb8(WIDTH, HEIGHT, 292),
                FrameFormat.rgb8(WIDTH, HEIGHT, 290),
                FrameFormat.rgb8(WIDTH, HEIGHT, 0),
                FrameFormat.rgb8(WIDTH, HEIGHT, most),
                FrameFormat.rgb8(0, HEIGHT, 291),
                FrameFormat.rgb8(WIDTH, 0, 291),
                FrameFormat.rgb8(most, most, most),
                FrameFormat.rgba8(WIDTH, HEIGHT, 388),
                FrameFormat.bgra8(most, 1, most),
                FrameFormat.gray8(1, most, most),
                FrameFormat.yuv420(WIDTH, HEIGHT, new YuvStrides(97, 1, 49, 1, 49, 1), YuvMatrix.BT601, YuvRange.FULL),
                FrameFormat.yuv420(most, most, strides, YuvMatrix.BT601, YuvRange.FULL));
        for (FrameFormat misfit : misfits) {
            assertMalformed(() -> classifier.classifyFrame(buffer, misfit));
            assertMalformed(() -> Image.fromFrame(buffer, misfit));
        }
    }

    @Test
    void strides_that_do_not_fit_a_camera_frame_are_malformed() {
        CameraFrame frame = CameraFrame.planar();
        int most = Integer.MAX_VALUE;
        List<YuvStrides> misfits = List.of(
                new YuvStrides(37, 0, 19, 1, 19, 1),
                new YuvStrides(36, 1, 19, 1, 19, 1),
                new YuvStrides(37, 1, 20, 1, 19, 1),
                new YuvStrides(37, 1, 19, 1, 38, 2),
                new YuvStrides(most, 1, 19, 1, 19, 1),
                new YuvStrides(37, most, 19, 1, 19, 1),
                new YuvStrides(37, 1, most, most, most, most));
        for (YuvStrides strides : misfits) {
            FrameFormat format = FrameFormat.yuv420(37, 23, strides, YuvMatrix.BT601, YuvRange.FULL);
            assertMalformed(() -> classifier.classifyYuv420(frame.y(), frame.u(), frame.v(), format));
            assertMalformed(() -> Image.fromYuv420(frame.y(), frame.u(), frame.v(), format));
        }
    }

    @Test
    void a_size_below_zero_is_an_error_that_names_it() {
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
    void three_planes_for_a_layout_of_one_are_malformed() {
        CameraFrame frame = CameraFrame.planar();
        for (FrameFormat one : List.of(FrameFormat.gray8(1, 1, 1), FrameFormat.encoded())) {
            assertMalformed(() -> classifier.classifyYuv420(frame.y(), frame.u(), frame.v(), one));
        }
    }

    @Test
    void an_empty_buffer_is_an_error() {
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
