package dev.bedside.demo

import android.content.res.Resources
import android.graphics.Bitmap
import dev.bedside.Manifest
import dev.bedside.QuestionRole
import dev.bedside.WarningKind

/** The texts and the picture of the note for the doctor. It has no probabilities. */
class Slip(
    val title: String,
    val case: String,
    /** The case number, the time, and the site on the body. */
    val head: List<String>,
    val picture: Bitmap?,
    val resultTitle: String,
    val triage: String,
    val advice: String,
    /** The headline, and why there is no assessment where there is none. */
    val verdict: List<String>,
    /** Titles, each with its lines: the danger signs, and the picture. */
    val sections: List<Pair<String, List<String>>>,
    val model: String?,
    val notice: String,
    /** Labels of lines to be filled in by hand. */
    val blanks: List<String>,
    /** The label of the lines for remarks. */
    val remarks: String,
)

/** The slip of a capture whose outcome it is; null where that is an error. */
fun Resources.slip(capture: Capture, manifest: Manifest, outcome: Outcome): Slip? {
    val (triage, advice, headline) = when (outcome) {
        is Outcome.Told -> outcome.report.run { Triple(triage, advice, summary) }
        is Outcome.OutOfScope -> Triple(outcome.triage, outcome.advice, getString(R.string.verdict_rejected))
        is Outcome.Failed -> return null
    }
    val told = outcome as? Outcome.Told
    val case = capture.case ?: return null
    return Slip(
        title = getString(R.string.slip_title),
        case = case,
        head = listOfNotNull(
            getString(R.string.slip_case, case),
            getString(R.string.slip_time, date(capture.time)),
            capture.site.trim().takeIf { it.isNotEmpty() }?.let { getString(R.string.slip_site, it) },
        ),
        // A slip goes to others: without a picture that may have a name in it.
        picture = told?.preview.takeUnless { told?.report?.warnings.orEmpty().any { it.kind == WarningKind.BURNED_IN } },
        resultTitle = getString(R.string.slip_result),
        triage = getString(triage.look.word),
        advice = advice,
        verdict = listOf(headline) + outcome.reasons.map { it.message },
        sections = listOf(
            getString(R.string.slip_danger) to danger(capture, manifest),
            getString(R.string.slip_how) to picture(capture, manifest),
        ),
        model = told?.let { identity(it.report) },
        notice = getString(R.string.app_notice),
        blanks = listOf(R.string.slip_name, R.string.slip_from, R.string.slip_to).map(::getString),
        remarks = getString(R.string.slip_remarks),
    )
}

private fun Resources.danger(capture: Capture, manifest: Manifest): List<String> =
    manifest.dangerSigns(capture.answers).map { "• ${it.question}" }.ifEmpty {
        listOf(getString(R.string.slip_danger_none))
    }

/** Where the picture came from, and the answers about it. */
private fun Resources.picture(capture: Capture, manifest: Manifest): List<String> {
    val source = when {
        capture.picture == null -> R.string.slip_none
        capture.taken -> R.string.slip_camera
        else -> R.string.slip_file
    }
    val questions = manifest.scope.filter { it.role == QuestionRole.SCOPE }
    return listOf(getString(source)) + questions.mapNotNull { answer(it, capture.answers) }
}
