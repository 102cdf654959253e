// The library's log reaches an app's logger, survives a logger that throws, and holds nothing of a picture.

package dev.bedside

import java.util.concurrent.CopyOnWriteArrayList
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertTrue

class LoggerTest {
    private data class Record(val level: LogLevel, val target: String, val message: String)

    private class RecordingLogger : Logger {
        val records = CopyOnWriteArrayList<Record>()

        override fun log(level: LogLevel, target: String, message: String) {
            records += Record(level, target, message)
        }
    }

    @Test
    fun logger_receives_each_stage_at_trace() {
        val recorded = RecordingLogger()
        withLogger(recorded) { TinyModel.open().use { it.classify(TinyModel.picture()) } }
        val stages = recorded.records.filter { it.target == "bedside::stages" }
        val names = stages.map { it.message.substringBefore(' ') }
        assertEquals(listOf("decode", "preprocess", "engine", "verdict"), names)
        assertEquals(setOf(LogLevel.TRACE), stages.map { it.level }.toSet())
    }

    @Test
    fun logger_receives_no_records_below_its_level() {
        val (warn, debug) = LogLevel.WARN to LogLevel.DEBUG
        // A warning about the unknown field, one record for the model, one for each stage.
        val wanted = mapOf(
            LogLevel.ERROR to emptySet<LogLevel>(),
            warn to setOf(warn),
            LogLevel.INFO to setOf(warn),
            debug to setOf(warn, debug),
            LogLevel.TRACE to setOf(warn, debug, LogLevel.TRACE),
        )
        assertEquals(LogLevel.entries.toSet(), wanted.keys)
        for ((level, levels) in wanted) {
            assertEquals(levels, recordsOf { setLogger(it, level) }.map { it.level }.toSet(), "$level")
        }
    }

    @Test
    fun logger_without_a_level_receives_warnings_and_errors() {
        val records = recordsOf { setLogger(it) }
        assertEquals(setOf(LogLevel.WARN), records.map { it.level }.toSet())
        assertTrue(records.any { "telepathy" in it.message }, "an unknown field is a warning")
    }

    /** The records that a logger receives about a model whose manifest has an unknown field. */
    private fun recordsOf(set: (Logger) -> Unit): List<Record> {
        val recorded = RecordingLogger()
        set(recorded)
        TinyModel.open(TinyModel.manifest("telepathy", json("{}"))).use { it.classify(TinyModel.picture()) }
        setLogger(null)
        return recorded.records
    }

    @Test
    fun logger_that_throws_does_not_end_a_classification() {
        TinyModel.open().use { classifier ->
            val wanted = classifier.classify(TinyModel.picture()).bits
            for (throwable in listOf(IllegalArgumentException("by the logger"), AssertionError("by the logger"))) {
                val stages = Stages.during({ throw throwable }) {
                    assertEquals(wanted, classifier.classify(TinyModel.picture()).bits)
                }
                assertEquals(4, stages.size)
            }
        }
    }

    @Test
    fun logger_receives_nothing_once_removed() {
        val recorded = RecordingLogger()
        setLogger(recorded, LogLevel.TRACE)
        TinyModel.open().use { classifier ->
            classifier.classify(TinyModel.picture())
            val received = recorded.records.size
            assertTrue(received >= 4, "one for each stage")
            setLogger(null, LogLevel.TRACE)
            classifier.classify(TinyModel.picture())
            assertEquals(received, recorded.records.size)
        }
    }

    @Test
    fun logger_may_set_another_logger() {
        val recorded = RecordingLogger()
        withLogger(Stages.once { setLogger(recorded, LogLevel.TRACE) }) {
            TinyModel.open().use { it.classify(TinyModel.picture()) }
        }
        val stages = recorded.records.map { it.message.substringBefore(' ') }
        assertEquals(listOf("preprocess", "engine", "verdict"), stages)
    }

    @Test
    fun log_holds_nothing_of_picture_person_or_result() {
        val recorded = RecordingLogger()
        withLogger(recorded) {
            Classifier.open(Repository.model).use { classifier ->
                val image = Image.open(Repository.file(Repository.samples.first()).path)
                val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
                val report = classifier.classify(image, query)
                val probabilities = report.findings.map { "${it.probability}" }
                val labels = listOf("melanoma", "nevus", "keratosis")
                val words = probabilities + labels + listOf("ISIC", "samples", "urgent", "refer")
                val log = recorded.records.joinToString("\n").lowercase()
                assertTrue(recorded.records.isNotEmpty())
                for (word in words) assertFalse(word.lowercase() in log, "$word is in the log:\n$log")
            }
        }
    }

    /** A logger that acts when the first stage ends. */
    private fun Stages.Companion.once(act: () -> Unit) = Stages { stage -> if (stage == "decode") act() }
}
