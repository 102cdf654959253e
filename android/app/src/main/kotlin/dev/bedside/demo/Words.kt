// Triage levels, errors and probabilities of the library in the app's texts. Other sentences are the library's own.

package dev.bedside.demo

import android.content.res.Resources
import dev.bedside.BedsideException
import dev.bedside.ErrorKind
import dev.bedside.Finding
import dev.bedside.Reason
import dev.bedside.Report
import dev.bedside.ScopeQuestion
import dev.bedside.Triage
import dev.bedside.Verdict
import dev.bedside.kind
import java.text.NumberFormat
import java.util.Locale
import kotlin.math.roundToInt
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

/** A probability as a natural frequency. */
fun Resources.frequency(probability: Float): String = when {
    probability < 0.01f -> getString(R.string.findings_few)
    probability > 0.99f -> getString(R.string.findings_most)
    else -> getString(R.string.findings_about, number((probability * 100).roundToInt()))
}

/** The text beside the label of a finding: its frequency, and whether it can't be excluded. */
fun Resources.share(finding: Finding): String {
    val often = frequency(finding.probability)
    return if (finding.overOperatingPoint) "$often · ${getString(R.string.findings_over)}" else often
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
private fun Resources.number(value: Number): String =
    NumberFormat.getInstance(Locale.forLanguageTag(getString(R.string.language))).format(value)
