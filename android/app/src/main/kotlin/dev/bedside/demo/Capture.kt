// One capture, from the choice of a task to the slip, as a value: every move gives a new one. It holds what must
// survive the process, and nothing of Android.

package dev.bedside.demo

/** Where a capture stands. */
enum class Step { HOME, QUESTIONS, PICTURE, WORK, RESULT, SLIP, ERROR }

/**
 * A capture under way.
 *
 * Results are not part of it: the same picture and answers give the same result again, and so none need be kept.
 */
data class Capture(
    val step: Step = Step.HOME,
    val task: Task? = null,
    /** What was answered, by the question's id: [YES], [NO] or the number as it was typed. */
    val answers: Map<String, String> = emptyMap(),
    /** The address of a picture that another app shared and that was not looked at yet. */
    val shared: String? = null,
    /** The address that the camera app was asked to write to, while it is open. */
    val camera: String? = null,
    /** The address of the picture that is, or was last, looked at. */
    val picture: String? = null,
    /** The number on the slip, once there is one. */
    val case: String? = null,
    /** Whether the danger signs are open, over whatever the step shows. */
    val danger: Boolean = false,
) {
    fun shared(address: String): Capture = Capture(shared = address)

    fun chosen(task: Task): Capture = Capture(Step.QUESTIONS, task, shared = shared)

    fun answered(question: String, answer: String): Capture =
        copy(answers = if (answer.isEmpty()) answers - question else answers + (question to answer))

    /** The answers leave the picture open. */
    fun inScope(): Capture = copy(step = Step.PICTURE)

    /** The answers reject already: the result says so, without a picture. */
    fun outOfScope(): Capture = copy(step = Step.RESULT, picture = null, case = null)

    fun cameraOpened(address: String): Capture = copy(camera = address)

    /** Without a picture: cancelled, or there is no camera app. */
    fun cameraClosed(): Capture = copy(camera = null)

    fun pictured(address: String): Capture = copy(
        step = Step.WORK,
        picture = address,
        shared = shared.takeIf { it != address },
        camera = null,
        case = null,
    )

    /** Before there was a result, be it for the first time or for one that is made again. */
    fun stopped(): Capture = if (step in looking) copy(step = Step.PICTURE) else this

    fun told(): Capture = if (step == Step.WORK) copy(step = Step.RESULT) else this

    fun failed(): Capture = copy(step = Step.ERROR)

    /** The slip, under its number: [number] unless it has one already. */
    fun slip(number: String): Capture = copy(step = Step.SLIP, case = case ?: number)

    fun dangerOpened(): Capture = copy(danger = true)

    fun dangerClosed(): Capture = copy(danger = false)

    /** Another person or lesion: the picture and the answers are forgotten. */
    fun again(): Capture = Capture(Step.QUESTIONS, task)

    fun finished(): Capture = Capture()

    /** One step back; null where that leaves the app. */
    fun back(): Capture? = when {
        danger -> dangerClosed()
        else -> when (step) {
            Step.HOME -> null
            Step.QUESTIONS -> Capture(shared = shared)
            Step.PICTURE -> copy(step = Step.QUESTIONS)
            Step.WORK -> copy(step = Step.PICTURE)
            Step.RESULT -> copy(step = if (picture == null) Step.QUESTIONS else Step.PICTURE)
            Step.SLIP -> copy(step = Step.RESULT)
            Step.ERROR -> if (picture == null) Capture(shared = shared) else copy(step = Step.PICTURE)
        }
    }

    /** As it goes on in a new process: what failed, and why the answers rejected, is not known there any more. */
    fun restored(): Capture {
        val known = step != Step.ERROR && (step != Step.RESULT || picture != null)
        return if (known) this else checkNotNull(copy(danger = false).back())
    }

    companion object {
        const val YES = "yes"
        const val NO = "no"

        private val looking = setOf(Step.WORK, Step.RESULT, Step.SLIP)
    }
}
