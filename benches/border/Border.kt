import com.sun.management.ThreadMXBean
import dev.bedside.Answer
import dev.bedside.Classifier
import dev.bedside.FrameFormat
import dev.bedside.FrameLayout
import dev.bedside.Query
import dev.bedside.Region
import dev.bedside.Rotation
import dev.bedside.classifyFrame
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer

private const val WIDTH = 640
private const val HEIGHT = 480

/** Measures the classification of one 640×480 RGBA frame over JNA, as `src/main.rs` describes. */
fun main(arguments: Array<String>) {
    val (model, number, part) = arguments
    val calls = number.toInt()
    Classifier.open(model).use { classifier ->
        val query = Query(
            answers = classifier.manifest().scope.associate { it.id to Answer.Yes },
            region = if (part == "corner") Region(0f, 0f, 8f / WIDTH, 8f / HEIGHT) else null,
        )
        val layout = FrameLayout.Rgba8(WIDTH.toUInt(), HEIGHT.toUInt(), (WIDTH * 4).toUInt())
        val format = FrameFormat(layout, Rotation.UPRIGHT)
        val pixels = frame()
        val thread = ManagementFactory.getThreadMXBean() as ThreadMXBean
        val times = DoubleArray(calls)
        var before = 0L
        for (i in 0 until calls) {
            if (i == calls / 2) before = thread.currentThreadAllocatedBytes
            val start = System.nanoTime()
            val report = classifier.classifyFrame(pixels, format, query)
            times[i] = (System.nanoTime() - start) / 1e3
            check(report.findings.isNotEmpty()) { "the frame was rejected" }
        }
        val garbage = (thread.currentThreadAllocatedBytes - before) / (calls - calls / 2)
        val warm = times.drop(calls / 2).sorted()
        println("${warm[warm.size / 10]} ${warm[warm.size / 2]} $garbage")
    }
}

private fun frame(): ByteBuffer {
    val pixels = ByteBuffer.allocateDirect(WIDTH * HEIGHT * 4)
    for (i in 0 until WIDTH * HEIGHT) {
        pixels.put((i % 251).toByte()).put((i / 640 % 241).toByte()).put((i % 239).toByte()).put(-1)
    }
    pixels.flip()
    return pixels
}
