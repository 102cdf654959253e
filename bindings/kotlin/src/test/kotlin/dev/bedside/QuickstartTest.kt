// The quickstart in docs/quickstart runs unchanged, and prints what the command prints.

package dev.bedside

import java.io.ByteArrayOutputStream
import java.io.PrintStream
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import main as quickstart

class QuickstartTest {
    @Test
    fun quickstart_prints_the_commands_output_except_for_times() {
        val photo = "models/samples/ISIC_0012258.jpg"
        val model = "models/skin-lesion/model.onnx"
        val answers = arrayOf("--answer", "dermatoscope=yes", "--answer", "mole_like=yes")
        val wanted = Repository.command("classify", photo, "--model", model, *answers)
        assertEquals(wanted.withoutTimes, printed { quickstart() }.withoutTimes)
    }

    @Test
    fun quickstart_has_at_most_fifteen_lines() {
        assertTrue(Repository.file("docs/quickstart/Quickstart.kt").readLines().size <= 15)
    }

    private fun printed(block: () -> Unit): String {
        val (before, bytes) = System.out to ByteArrayOutputStream()
        System.setOut(PrintStream(bytes, true, "UTF-8"))
        try {
            block()
        } finally {
            System.setOut(before)
        }
        return bytes.toString("UTF-8")
    }

    private val String.withoutTimes: String
        get() {
            val (times, rest) = lines().partition { it.startsWith("  Time ") }
            assertEquals(1, times.size)
            return rest.joinToString("\n")
        }
}
