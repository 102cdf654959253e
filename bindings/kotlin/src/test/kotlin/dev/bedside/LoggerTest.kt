// The library's log reaches an app, does no harm when the app's logger does, and holds nothing of a picture.

package dev.bedside

import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

class LoggerTest {
    private data class Record(val level: LogLevel, val target: String, val message: String)

    private class Kept : Logger {
        val records = CopyOnWriteArrayList<Record>()

        override fun log(level: LogLevel, target: String, message: String) {
            records += Record(level, target, message)
        }
    }

    @Test
    fun each_stage_is_a_record_at_trace() {
        val kept = Kept()
        hearing(kept) { Tiny.open().use { it.classify(Tiny.picture()) } }
        val stages = kept.records.filter { it.target == "bedside::stages" }
        assertEquals(listOf("decode", "preprocess", "engine", "verdict"), stages.map { it.message.substringBefore(' ') })
        assertEquals(setOf(LogLevel.TRACE), stages.map { it.level }.toSet())
    }

    @Test
    fun a_level_keeps_lower_records_out() {
        val (warn, debug) = LogLevel.WARN to LogLevel.DEBUG
        // A warning of the unknown field, a line for the model, one for each stage.
        val wanted = mapOf(
            LogLevel.ERROR to emptySet<LogLevel>(),
            warn to setOf(warn),
            LogLevel.INFO to setOf(warn),
            debug to setOf(warn, debug),
            LogLevel.TRACE to setOf(warn, debug, LogLevel.TRACE),
        )
        assertEquals(LogLevel.entries.toSet(), wanted.keys)
        for ((level, levels) in wanted) {
            assertEquals(levels, heard { setLogger(it, level) }.map { it.level }.toSet(), "$level")
        }
    }

    @Test
    fun without_a_level_it_hears_from_warn_up() {
        val records = heard { setLogger(it) }
        assertEquals(setOf(LogLevel.WARN), records.map { it.level }.toSet())
        assertTrue(records.any { "telepathy" in it.message }, "an unknown field is a warning")
    }

    /** What a logger hears, once set, of a model with a field that nobody knows. */
    private fun heard(set: (Logger) -> Unit): List<Record> {
        val kept = Kept()
        set(kept)
        Tiny.open(Tiny.manifest("telepathy", json("{}"))).use { it.classify(Tiny.picture()) }
        setLogger(null)
        return kept.records
    }

    @Test
    fun a_logger_that_throws_does_not_break_a_classification() {
        Tiny.open().use { classifier ->
            val wanted = classifier.classify(Tiny.picture()).bits
            for (throwable in listOf(IllegalArgumentException("by the logger"), AssertionError("by the logger"))) {
                val stages = Stages.during({ throw throwable }) {
                    assertEquals(wanted, classifier.classify(Tiny.picture()).bits)
                }
                assertEquals(4, stages.size)
            }
        }
    }

    @Test
    fun a_logger_that_was_taken_off_hears_no_more() {
        val kept = Kept()
        setLogger(kept, LogLevel.TRACE)
        Tiny.open().use { classifier ->
            classifier.classify(Tiny.picture())
            val heard = kept.records.size
            assertTrue(heard >= 4, "one for each stage")
            setLogger(null, LogLevel.TRACE)
            classifier.classify(Tiny.picture())
            assertEquals(heard, kept.records.size)
        }
    }

    @Test
    fun a_logger_may_set_another() {
        val kept = Kept()
        hearing(Stages.once { setLogger(kept, LogLevel.TRACE) }) { Tiny.open().use { it.classify(Tiny.picture()) } }
        assertEquals(listOf("preprocess", "engine", "verdict"), kept.records.map { it.message.substringBefore(' ') })
    }

    @Test
    fun the_log_holds_nothing_of_picture_person_or_result() {
        val kept = Kept()
        hearing(kept) {
            Classifier.open(Repository.model).use { classifier ->
                val image = Image.open(Repository.file(Repository.samples.first()).path)
                val report = classifier.classify(image, Query(answers = mapOf("dermatoscope" to Answer.Yes)))
                val probabilities = report.findings.map { "${it.probability}" }
                val labels = listOf("melanoma", "nevus", "keratosis")
                val words = probabilities + labels + listOf("ISIC", "samples", "urgent", "refer")
                val log = kept.records.joinToString("\n").lowercase()
                assertTrue(kept.records.isNotEmpty())
                for (word in words) assertFalse(word.lowercase() in log, "$word is in the log:\n$log")
            }
        }
    }

    /** A logger that acts when the first stage ends. */
    private fun Stages.Companion.once(act: () -> Unit) = Stages { stage -> if (stage == "decode") act() }
}
