// A capture from the choice of a task to the slip, as an immutable value. It holds what must survive the process, and
// no objects of Android.

package dev.bedside.demo

/** The steps of a capture. */
enum class Step { HOME, QUESTIONS, PICTURE, CROP, WORK, RESULT, CLINICIANS, SLIP, ERROR }

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
    /** The part of [picture] that is looked at; the whole where it is null. */
    val part: Part? = null,
    /** Whether [picture] came from the camera, and not from a file. */
    val taken: Boolean = false,
    /** Whether [picture] was refused for its quality. */
    val refused: Boolean = false,
    /** How many pictures of this case were refused for their quality before [picture]. */
    val refusals: Int = 0,
    /** The shares of the labels in percent, as a clinician entered them, by the label's id. */
    val shares: Map<String, String> = emptyMap(),
    /** The site on the body, as it was typed on the slip's screen. */
    val site: String = "",
    /** The case number of the slip, or null before a slip was opened. */
    val case: String? = null,
    /** When the slip was opened first, in milliseconds since 1970; 0 before. */
    val time: Long = 0,
) {
    fun shared(address: String): Capture = Capture(shared = address)

    fun chosen(task: Task): Capture = Capture(Step.QUESTIONS, task, shared = shared)

    fun answered(question: String, answer: String): Capture =
        copy(answers = if (answer.isEmpty()) answers - question else answers + (question to answer))

    /** The answers are in scope: a picture comes next. */
    fun inScope(): Capture = copy(step = Step.PICTURE)

    /** The answers reject every picture: the result is shown without one. */
    fun outOfScope(): Capture =
        withoutSlip().copy(step = Step.RESULT, picture = null, part = null, taken = false, refused = false)

    fun cameraOpened(address: String): Capture = copy(camera = address)

    /** The camera app gave no picture, or there is no camera app. */
    fun cameraClosed(): Capture = copy(camera = null)

    /** A picture was chosen. One that is chosen again was refused no more often than before. */
    fun pictured(address: String, taken: Boolean = false): Capture = withoutSlip().copy(
        step = if (task?.crops == true) Step.CROP else Step.WORK,
        picture = address,
        part = null,
        taken = taken,
        refused = false,
        refusals = if (refused && address != picture) refusals + 1 else refusals,
        shares = emptyMap(),
        shared = shared.takeIf { it != address },
        camera = null,
    )

    /** The part of the picture that is looked at was chosen; null for the whole, where it can't be shown. */
    fun cropped(part: Part?): Capture = copy(step = Step.WORK, part = part)

    /** The classification was stopped, be it the first one or one for a restored result. */
    fun stopped(): Capture = if (step in resultSteps) copy(step = Step.PICTURE) else this

    /** There is a result, which may refuse the picture for its quality. */
    fun told(refused: Boolean = false): Capture =
        if (step == Step.WORK) copy(step = Step.RESULT, refused = refused) else this

    /** Another picture is taken in place of a refused one. */
    fun retaken(): Capture = copy(step = Step.PICTURE)

    fun failed(): Capture = copy(step = Step.ERROR)

    fun clinicians(): Capture = copy(step = Step.CLINICIANS)

    fun withShares(shares: Map<String, String>): Capture = copy(shares = shares)

    /** The slip is opened. Its case number is [number], and its time [now], unless it has them already. */
    fun slip(number: String, now: Long): Capture =
        copy(step = Step.SLIP, case = case ?: number, time = if (case == null) now else time)

    fun at(site: String): Capture = copy(site = site)

    /** A new capture of the same task, without the picture and the answers. */
    fun again(): Capture = Capture(Step.QUESTIONS, task)

    fun finished(): Capture = Capture()

    /** The capture one step back; null where that leaves the app. */
    fun back(): Capture? = when (step) {
        Step.HOME -> null
        Step.QUESTIONS -> Capture(shared = shared)
        Step.PICTURE -> copy(step = Step.QUESTIONS)
        Step.CROP, Step.WORK -> copy(step = Step.PICTURE)
        Step.RESULT -> copy(step = if (picture == null) Step.QUESTIONS else Step.PICTURE)
        Step.CLINICIANS, Step.SLIP -> copy(step = Step.RESULT)
        Step.ERROR -> if (picture == null) Capture(shared = shared) else copy(step = Step.PICTURE)
    }

    /** The capture in a new process, which does not know the error or the reasons that the step showed. */
    fun restored(): Capture {
        val unknown = step == Step.ERROR || (step == Step.RESULT && picture == null)
        return when {
            step == Step.SLIP && picture == null -> copy(step = Step.QUESTIONS)
            unknown -> checkNotNull(back())
            else -> this
        }
    }

    private fun withoutSlip() = copy(site = "", case = null, time = 0)

    companion object {
        const val YES = "yes"
        const val NO = "no"

        private val resultSteps = setOf(Step.WORK, Step.RESULT, Step.CLINICIANS, Step.SLIP)
    }
}
