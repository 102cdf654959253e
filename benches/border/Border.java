import com.sun.management.ThreadMXBean;
import dev.bedside.jni.Answer;
import dev.bedside.jni.Classifier;
import dev.bedside.jni.FrameFormat;
import dev.bedside.jni.Query;
import dev.bedside.jni.Region;
import dev.bedside.jni.Report;
import dev.bedside.jni.ScopeQuestion;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;

/** Measures the classification of one 640×480 RGBA frame over JNI, as {@code src/main.rs} describes. */
public final class Border {
    private static final int WIDTH = 640;
    private static final int HEIGHT = 480;

    public static void main(String[] arguments) throws Exception {
        int calls = Integer.parseInt(arguments[1]);
        try (Classifier classifier = Classifier.open(arguments[0])) {
            Query.Builder builder = Query.builder();
            for (ScopeQuestion question : classifier.manifest().getScope()) {
                builder.answer(question.getId(), Answer.YES);
            }
            if (arguments[2].equals("corner")) {
                builder.region(new Region(0, 0, 8f / WIDTH, 8f / HEIGHT));
            }
            Query query = builder.build();
            FrameFormat format = FrameFormat.rgba8(WIDTH, HEIGHT, WIDTH * 4);
            ByteBuffer pixels = frame();
            ThreadMXBean thread = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            double[] times = new double[calls];
            long before = 0;
            for (int i = 0; i < calls; i++) {
                if (i == calls / 2) {
                    before = thread.getCurrentThreadAllocatedBytes();
                }
                long start = System.nanoTime();
                Report report = classifier.classifyFrame(pixels, format, query);
                times[i] = (System.nanoTime() - start) / 1e3;
                if (report.getFindings().isEmpty()) {
                    throw new IllegalStateException("the frame was rejected");
                }
            }
            long garbage = (thread.getCurrentThreadAllocatedBytes() - before) / (calls - calls / 2);
            double[] warm = Arrays.copyOfRange(times, calls / 2, calls);
            Arrays.sort(warm);
            System.out.println(warm[warm.length / 10] + " " + warm[warm.length / 2] + " " + garbage);
        }
    }

    private static ByteBuffer frame() {
        ByteBuffer pixels = ByteBuffer.allocateDirect(WIDTH * HEIGHT * 4);
        for (int i = 0; i < WIDTH * HEIGHT; i++) {
            pixels.put((byte) (i % 251)).put((byte) (i / 640 % 241)).put((byte) (i % 239)).put((byte) 255);
        }
        pixels.flip();
        return pixels;
    }
}
