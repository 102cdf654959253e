package dev.bedside.demo

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test

/** The states of a capture, without Android. */
class CaptureTest {
    private val asked = Capture().chosen(Task.SKIN).answered("dermatoscope", Capture.YES)
    private val result = asked.inScope().pictured("content://a/1").told()

    @Test
    fun capture_goes_from_the_task_to_the_slip() {
        val slip = result.slip("2026-11-23-7KMP", 1)
        assertEquals(Step.SLIP, slip.step)
        assertEquals("2026-11-23-7KMP", slip.case)
        assertEquals("content://a/1", slip.picture)
        assertEquals(mapOf("dermatoscope" to Capture.YES), slip.answers)
    }

    @Test
    fun back_leads_through_each_step_and_out_of_the_app() {
        val steps = generateSequence(result.slip("1", 1)) { it.back() }.map { it.step }.toList()
        assertEquals(listOf(Step.SLIP, Step.RESULT, Step.PICTURE, Step.QUESTIONS, Step.HOME), steps)
    }

    @Test
    fun photo_is_cropped_before_it_is_looked_at() {
        val part = Part(0.25, 0.0, 0.5, 1.0)
        val chosen = Capture().chosen(Task.PHOTO).inScope().pictured("content://a/1")
        assertEquals(Step.CROP, chosen.step)
        assertEquals(Step.PICTURE, chosen.back()?.step)
        assertEquals(chosen, chosen.restored())
        val cropped = chosen.cropped(part)
        assertEquals(Step.WORK to part, cropped.step to cropped.part)
        assertEquals(Step.RESULT, cropped.told().step)
        // Another picture, and no picture, have no part yet.
        assertNull(cropped.told().retaken().pictured("content://a/2").part)
        assertNull(cropped.outOfScope().part)
        assertNull(chosen.cropped(null).part)
    }

    @Test
    fun back_from_the_page_for_clinicians_leads_to_the_result() {
        assertEquals(result, result.clinicians().back())
    }

    @Test
    fun refused_pictures_of_one_case_are_counted() {
        val refused = asked.inScope().pictured("content://a/1", taken = true).told(refused = true)
        assertEquals(0, refused.refusals)
        val second = refused.retaken().pictured("content://a/2", taken = true)
        assertEquals(1, second.refusals)
        assertEquals(1, second.told().retaken().pictured("content://a/3").refusals)
        // The same picture gets the same result.
        assertEquals(0, refused.retaken().pictured("content://a/1", taken = true).refusals)
        assertEquals(0, second.told(refused = true).again().refusals)
    }

    @Test
    fun another_picture_has_its_own_source_shares_and_slip() {
        val first = asked.inScope().pictured("content://a/1", taken = true).told()
        val slip = first.clinicians().withShares(mapOf("nevus" to "90")).slip("1", 1).at("left arm")
        val second = slip.inScope().pictured("content://a/2")
        assertEquals(asked.pictured("content://a/2"), second)
    }

    @Test
    fun back_from_a_rejection_leads_to_the_questions() {
        val rejected = asked.outOfScope()
        assertEquals(Step.RESULT, rejected.step)
        assertEquals(Step.QUESTIONS, rejected.back()?.step)
    }

    @Test
    fun again_keeps_only_the_task() {
        assertEquals(Capture(Step.QUESTIONS, Task.SKIN), result.slip("1", 1).again())
    }

    @Test
    fun slip_of_another_picture_gets_another_case_number() {
        val first = result.slip("1", 1)
        assertEquals(first, first.slip("2", 2))
        val second = first.inScope().pictured("content://a/2").told().slip("2", 2)
        assertEquals("2" to 2L, second.case to second.time)
    }

    @Test
    fun finished_capture_is_empty() {
        assertEquals(Capture(), result.slip("1", 1).finished())
    }

    @Test
    fun stopped_capture_ignores_a_late_result() {
        val stopped = asked.inScope().pictured("content://a/1").stopped()
        assertEquals(Step.PICTURE, stopped.step)
        assertEquals(stopped, stopped.told())
        // After the process was ended, a result is made again for the slip that was open.
        assertEquals(Step.PICTURE, result.slip("1", 1).restored().stopped().step)
    }

    @Test
    fun shared_picture_is_kept_until_it_is_classified() {
        val shared = Capture().shared("content://a/1")
        val asked = shared.chosen(Task.SKIN).inScope()
        assertEquals("content://a/1", asked.shared)
        assertEquals("content://a/1", asked.pictured("content://a/2").shared)
        assertNull(asked.pictured("content://a/1").shared)
    }

    @Test
    fun shared_picture_replaces_the_capture() {
        assertEquals(Capture(shared = "content://a/2"), result.shared("content://a/2"))
    }

    @Test
    fun restored_capture_keeps_results_but_not_errors_or_rejections() {
        assertEquals(Step.PICTURE, result.failed().restored().step)
        assertEquals(Step.HOME, Capture().chosen(Task.SKIN).failed().restored().step)
        assertEquals(Step.QUESTIONS, asked.outOfScope().restored().step)
        assertEquals(Step.QUESTIONS, asked.outOfScope().slip("1", 1).restored().step)
        assertEquals(result, result.restored())
    }

    @Test
    fun case_number_is_the_date_and_four_unambiguous_characters() {
        val numbers = List(200) { caseNumber() }
        assertTrue(numbers.all { Regex("\\d{4}-\\d\\d-\\d\\d-[2-9A-Z]{4}").matches(it) })
        assertFalse(numbers.any { number -> number.takeLast(4).any { it in "01OIL5SAEU" } })
        assertTrue(numbers.toSet().size > 190)
    }
}
