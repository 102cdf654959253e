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
    fun a_capture_goes_from_the_task_to_the_slip() {
        val slip = result.slip("2026-11-23-7KMP")
        assertEquals(Step.SLIP, slip.step)
        assertEquals("2026-11-23-7KMP", slip.case)
        assertEquals("content://a/1", slip.picture)
        assertEquals(mapOf("dermatoscope" to Capture.YES), slip.answers)
    }

    @Test
    fun back_leads_over_every_screen_to_the_first_one_and_out() {
        val steps = generateSequence(result.slip("1")) { it.back() }.map { it.step }.toList()
        assertEquals(listOf(Step.SLIP, Step.RESULT, Step.PICTURE, Step.QUESTIONS, Step.HOME), steps)
    }

    @Test
    fun back_closes_the_danger_signs_first() {
        assertEquals(result, result.dangerOpened().back())
        assertEquals(Capture(), Capture().dangerOpened().back())
    }

    @Test
    fun back_from_a_rejection_leads_to_the_questions() {
        val rejected = asked.outOfScope()
        assertEquals(Step.RESULT, rejected.step)
        assertEquals(Step.QUESTIONS, rejected.back()?.step)
    }

    @Test
    fun another_picture_keeps_the_task_only() {
        assertEquals(Capture(Step.QUESTIONS, Task.SKIN), result.slip("1").again())
    }

    @Test
    fun another_picture_gets_another_case_number() {
        val first = result.slip("1")
        assertEquals("1", first.slip("2").case)
        assertEquals("2", first.inScope().pictured("content://a/2").told().slip("2").case)
    }

    @Test
    fun finishing_forgets_everything() {
        assertEquals(Capture(), result.slip("1").finished())
    }

    @Test
    fun a_result_that_comes_after_the_stop_changes_nothing() {
        val stopped = asked.inScope().pictured("content://a/1").stopped()
        assertEquals(Step.PICTURE, stopped.step)
        assertEquals(stopped, stopped.told())
        // After the process was ended, a result is made again for the slip that was open.
        assertEquals(Step.PICTURE, asked.inScope().pictured("content://a/1").told().slip("1").restored().stopped().step)
    }

    @Test
    fun a_shared_picture_waits_until_it_is_used() {
        val shared = Capture().shared("content://a/1")
        val asked = shared.chosen(Task.SKIN).inScope()
        assertEquals("content://a/1", asked.shared)
        assertEquals("content://a/1", asked.pictured("content://a/2").shared)
        assertNull(asked.pictured("content://a/1").shared)
    }

    @Test
    fun a_shared_picture_takes_the_place_of_the_capture() {
        assertEquals(Capture(shared = "content://a/2"), result.shared("content://a/2"))
    }

    @Test
    fun in_a_new_process_errors_and_rejections_are_gone_and_results_are_not() {
        assertEquals(Step.PICTURE, result.failed().restored().step)
        assertEquals(Step.HOME, Capture().chosen(Task.SKIN).failed().restored().step)
        assertEquals(Step.QUESTIONS, asked.outOfScope().restored().step)
        assertEquals(result, result.restored())
    }

    @Test
    fun case_numbers_have_the_date_and_four_signs_that_can_not_be_mistaken() {
        val numbers = List(200) { caseNumber() }
        assertTrue(numbers.all { Regex("\\d{4}-\\d\\d-\\d\\d-[2-9A-Z]{4}").matches(it) })
        assertFalse(numbers.any { number -> number.takeLast(4).any { it in "01OIL5SAEU" } })
        assertTrue(numbers.toSet().size > 190)
    }
}
