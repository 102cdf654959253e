// Triage levels, errors and numbers of the library in the app's texts. Other sentences are the library's own.

package dev.bedside.demo

import android.content.res.Resources
import dev.bedside.Answer
import dev.bedside.BedsideException
import dev.bedside.DecidedBy
import dev.bedside.ErrorKind
import dev.bedside.Finding
import dev.bedside.Novelty
import dev.bedside.Quality
import dev.bedside.Reason
import dev.bedside.ReasonKind
import dev.bedside.Report
import dev.bedside.ScopeQuestion
import dev.bedside.Triage
import dev.bedside.Verdict
import dev.bedside.kind
import java.text.DateFormat
import java.text.NumberFormat
import java.util.Date
import java.util.Locale
import kotlin.math.roundToLong

/** The word, the icon and the colours of each triage level. They are shown together, so that none is needed alone. */
enum class TriageLook(val word: Int, val icon: Int, val color: Int, val onColor: Int) {
    NO_SIGN(R.string.triage_no_sign, R.drawable.ic_no_sign, R.color.no_sign, R.color.on_no_sign),
    UNASSESSED(R.string.triage_unassessed, R.drawable.ic_unassessed, R.color.unassessed, R.color.on_unassessed),
    REFER(R.string.triage_refer, R.drawable.ic_refer, R.color.refer, R.color.on_refer),
    URGENT(R.string.triage_urgent, R.drawable.ic_urgent, R.color.urgent, R.color.on_urgent),
}

val Triage.look: TriageLook
    get() = when (this) {
        Triage.NO_SIGN -> TriageLook.NO_SIGN
        Triage.UNASSESSED -> TriageLook.UNASSESSED
        Triage.REFER -> TriageLook.REFER
        Triage.URGENT -> TriageLook.URGENT
    }

val Verdict.reasons: List<Reason>
    get() = if (this is Verdict.Rejected) reasons else emptyList()

/** Whether the reason is the picture's quality, so that another picture may be better. */
val Reason.isQuality: Boolean
    get() = kind in setOf(
        ReasonKind.TOO_SMALL,
        ReasonKind.TOO_DARK,
        ReasonKind.TOO_BRIGHT,
        ReasonKind.LOW_CONTRAST,
        ReasonKind.OUT_OF_FOCUS,
        ReasonKind.COLORLESS,
        ReasonKind.COLORED,
    )

/** The report's reasons, each with what to do; empty where there is none. */
val Outcome.reasons: List<Reason>
    get() = when (this) {
        is Outcome.Told -> report.verdict.reasons
        is Outcome.OutOfScope -> reasons
        is Outcome.Failed -> emptyList()
    }

/** Whether a danger sign decided the triage, and not the picture. */
val Outcome.decidedByDanger: Boolean
    get() = when (this) {
        is Outcome.Told -> report.decidedBy == DecidedBy.DANGER
        is Outcome.OutOfScope -> triage != Triage.UNASSESSED
        is Outcome.Failed -> false
    }

/** What decided the triage, as a sentence. */
val DecidedBy.sentence: Int
    get() = when (this) {
        DecidedBy.DANGER -> R.string.clinicians_decided_danger
        DecidedBy.SCOPE -> R.string.clinicians_decided_scope
        DecidedBy.QUALITY -> R.string.clinicians_decided_quality
        DecidedBy.REPEATED_QUALITY -> R.string.clinicians_decided_repeated_quality
        DecidedBy.NOVELTY -> R.string.clinicians_decided_novelty
        DecidedBy.LABEL -> R.string.clinicians_decided_label
        DecidedBy.ACTION -> R.string.clinicians_decided_action
        DecidedBy.UNDECIDED -> R.string.clinicians_decided_undecided
        DecidedBy.NO_SIGN_NOT_SHOWN -> R.string.clinicians_decided_no_sign_not_shown
        DecidedBy.UNCALIBRATED -> R.string.clinicians_decided_uncalibrated
    }

/** A fraction of 0 to 1 in percent, with one decimal. */
fun Resources.percent(fraction: Double): String = getString(R.string.clinicians_percent, number(100 * fraction, 1))

/** The text below the label of a finding: its probability, its operating point, and whether it can't be excluded. */
fun Resources.probability(finding: Finding): String {
    val (probability, point) = percent(finding.probability.toDouble()) to percent(finding.operatingPoint.toDouble())
    val text = getString(R.string.clinicians_finding, probability, point)
    return if (finding.overOperatingPoint) "$text · ${getString(R.string.clinicians_over)}" else text
}

/** The measures of the picture, each with two decimals. */
fun Resources.measures(quality: Quality): String {
    val measures = quality.run { listOf(focus, dark, bright, contrast, color, size) }
    val numbers = measures.map { number(it.toDouble(), 2) }.toTypedArray()
    return getString(R.string.clinicians_quality, *numbers)
}

/** The novelty of the picture and its two levels, each with two decimals. */
fun Resources.novelty(novelty: Novelty): String {
    val numbers = novelty.run { listOf(value, soft, hard) }.map { number(it.toDouble(), 2) }.toTypedArray()
    return getString(R.string.clinicians_novelty, *numbers)
}

/** An answer, as on the slip. */
fun Resources.answer(question: ScopeQuestion, answers: Map<String, String>): String? {
    val text = when (val answer = question.answer(answers)) {
        null -> return null
        Answer.Yes -> getString(R.string.questions_yes)
        Answer.No -> getString(R.string.questions_no)
        is Answer.Number -> if (question.isAge) age(question, answers) else number(answer.value)
    }
    return getString(R.string.slip_answer, question.question, text)
}

private fun Resources.age(question: ScopeQuestion, answers: Map<String, String>): String {
    val fields = listOf(answers[question.id], answers[question.monthsKey])
    return getString(R.string.questions_age_answer, *fields.map { number(whole(it) ?: 0) }.toTypedArray())
}

fun Resources.time(report: Report): String =
    getString(R.string.result_time, number(report.timingsMs.total.roundToLong()))

fun Resources.identity(report: Report): String {
    val model = "${report.model.name} ${report.model.version}"
    return getString(R.string.result_model, model, report.model.graphSha256.take(12), report.runtime.version)
}

/** The hint for the numbers that a question takes. */
fun Resources.hint(question: ScopeQuestion): String {
    val min = question.min?.let(::number)
    val max = question.max?.let(::number)
    return when {
        question.isAge && min != null && max != null -> getString(R.string.questions_age, min, max)
        min != null && max != null -> getString(R.string.questions_number, min, max)
        min != null -> getString(R.string.questions_number_min, min)
        else -> getString(R.string.questions_number_max, max)
    }
}

fun Resources.sentence(failed: Outcome.Failed): String =
    when (failed.error) {
        is BedsideException.Io -> picture(failed, R.string.error_io)
        is BedsideException.UnsupportedImage -> getString(R.string.error_unsupported_image)
        is BedsideException.MalformedImage -> getString(R.string.error_malformed_image)
        is BedsideException.TooLarge -> picture(failed, R.string.error_too_large)
        is BedsideException.MalformedModel,
        is BedsideException.UnsupportedModel,
        is BedsideException.InvalidManifest,
        is BedsideException.InvalidQuery,
        is BedsideException.Cancelled,
        is BedsideException.SelfTest,
        is BedsideException.Internal,
        -> internal(failed.error.kind)
    }

/** Io and TooLarge concern models too, and then another picture does not help. */
private fun Resources.picture(failed: Outcome.Failed, text: Int): String =
    if (failed.aboutPicture) getString(text) else internal(failed.error.kind)

private fun Resources.internal(kind: ErrorKind): String = getString(R.string.error_internal, kind.rustName)

/** `SELF_TEST` as `SelfTest`, which is its name in Rust. */
private val ErrorKind.rustName: String
    get() = name.split('_').joinToString("") { it.take(1) + it.drop(1).lowercase() }

/** A number in the format of the texts' language, which may differ from the phone's. */
private fun Resources.number(value: Number): String = NumberFormat.getInstance(locale).format(value)

/** The same, with exactly this many decimals. */
private fun Resources.number(value: Double, decimals: Int): String = NumberFormat.getInstance(locale).run {
    minimumFractionDigits = decimals
    maximumFractionDigits = decimals
    format(value)
}

/** A date with the time of day, in the format of the texts' language. */
fun Resources.date(milliseconds: Long): String =
    DateFormat.getDateTimeInstance(DateFormat.MEDIUM, DateFormat.SHORT, locale).format(Date(milliseconds))

/** The locale of the texts' language. */
private val Resources.locale: Locale
    get() = Locale.forLanguageTag(getString(R.string.language))
