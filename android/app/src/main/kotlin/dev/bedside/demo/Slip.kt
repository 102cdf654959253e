package dev.bedside.demo

import android.content.res.Resources
import android.graphics.Bitmap

/** The texts and the picture of a referral slip. */
class Slip(
    val title: String,
    val case: String,
    val caseLine: String,
    val picture: Bitmap?,
    val resultTitle: String,
    val triage: String,
    val advice: String,
    val verdict: String,
    val findingsTitle: String,
    val findingsLead: String,
    val findings: List<String>,
    val model: String,
    val notice: String,
    /** Labels of lines to be filled in by hand. */
    val blanks: List<String>,
    /** The label of the lines for remarks. */
    val remarks: String,
)

fun Resources.slip(case: String, told: Outcome.Told): Slip {
    val report = told.report
    return Slip(
        title = getString(R.string.slip_title),
        case = case,
        caseLine = getString(R.string.slip_case, case),
        picture = told.preview,
        resultTitle = getString(R.string.slip_result),
        triage = getString(report.triage.look.word),
        advice = report.advice,
        verdict = report.summary,
        findingsTitle = getString(R.string.findings_title),
        findingsLead = getString(R.string.findings_lead),
        findings = report.findings.map { "${it.name}: ${share(it)}" },
        model = identity(report),
        notice = getString(R.string.app_notice),
        blanks = listOf(R.string.slip_name, R.string.slip_from, R.string.slip_to).map(::getString),
        remarks = getString(R.string.slip_remarks),
    )
}
