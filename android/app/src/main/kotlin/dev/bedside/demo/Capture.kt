// A capture from the choice of a task to the slip, as an immutable value. It holds what must survive the process, and
// no objects of Android.

package dev.bedside.demo

/** The steps of a capture. */
enum class Step { HOME, QUESTIONS, PICTURE, WORK, RESULT, SLIP, ERROR }

/**
 * A capture. Each function returns the capture after one move.
 *
 * Results are not part of it, because the same picture and answers give the same result again.
 */
data class Capture(
    val step: Step = Step.HOME,
    val task: Task? = null,
    /** The answers by the question's id: [YES], [NO] or the number as it was typed. */
    val answers: Map<String, String> = emptyMap(),
    /** The address of a picture that another app shared and that was not classified yet. */
    val shared: String? = null,
    /** The address that the camera app writes to, while it is open. */
    val camera: String? = null,
    /** The address of the picture that was classified last, or is being classified. */
    val picture: String? = null,
    /** The case number of the slip, or null before a slip was opened. */
    val case: String? = null,
    /** Whether the danger signs are shown over the screen of the step. */
    val danger: Boolean = false,
) {
    fun shared(address: String): Capture = Capture(shared = address)

    fun chosen(task: Task): Capture = Capture(Step.QUESTIONS, task, shared = shared)

    fun answered(question: String, answer: String): Capture =
        copy(answers = if (answer.isEmpty()) answers - question else answers + (question to answer))

    /** The answers are in scope: a picture comes next. */
    fun inScope(): Capture = copy(step = Step.PICTURE)

    /** The answers reject every picture: the result is shown without one. */
    fun outOfScope(): Capture = copy(step = Step.RESULT, picture = null, case = null)

    fun cameraOpened(address: String): Capture = copy(camera = address)

    /** The camera app gave no picture, or there is no camera app. */
    fun cameraClosed(): Capture = copy(camera = null)

    fun pictured(address: String): Capture = copy(
        step = Step.WORK,
        picture = address,
        shared = shared.takeIf { it != address },
        camera = null,
        case = null,
    )

    /** The classification was stopped, be it the first one or one for a restored result. */
    fun stopped(): Capture = if (step in resultSteps) copy(step = Step.PICTURE) else this

    fun told(): Capture = if (step == Step.WORK) copy(step = Step.RESULT) else this

    fun failed(): Capture = copy(step = Step.ERROR)

    /** The slip is opened. Its case number is [number] unless it has one already. */
    fun slip(number: String): Capture = copy(step = Step.SLIP, case = case ?: number)

    fun dangerOpened(): Capture = copy(danger = true)

    fun dangerClosed(): Capture = copy(danger = false)

    /** A new capture of the same task, without the picture and the answers. */
    fun again(): Capture = Capture(Step.QUESTIONS, task)

    fun finished(): Capture = Capture()

    /** The capture one step back; null where that leaves the app. */
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

    /** The capture in a new process, which does not know the error or the reasons that the step showed. */
    fun restored(): Capture {
        val known = step != Step.ERROR && (step != Step.RESULT || picture != null)
        return if (known) this else checkNotNull(copy(danger = false).back())
    }

    companion object {
        const val YES = "yes"
        const val NO = "no"

        private val resultSteps = setOf(Step.WORK, Step.RESULT, Step.SLIP)
    }
}
