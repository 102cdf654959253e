package dev.bedside.demo

import android.view.View
import android.view.ViewGroup
import android.widget.ImageView
import android.widget.TextView
import dev.bedside.Finding
import dev.bedside.Reason
import dev.bedside.Report
import dev.bedside.Triage
import dev.bedside.Verdict

/** The screen of a result: what to do, why, the numbers, the model and the notice. */
class ResultScreen(activity: MainActivity) : Screen(activity, R.layout.result) {
    private val resources = activity.resources

    init {
        backArrow()
        onClick(R.id.danger) { session.move(session.capture.dangerOpened()) }
        onClick(R.id.slip) { session.move(session.capture.slip(caseNumber())) }
        onClick(R.id.again) { session.move(session.capture.again()) }
        onClick(R.id.home) { session.move(session.capture.finished()) }
    }

    override fun draw() {
        session.capture.task?.let { text(R.id.task, activity.getString(it.title)) }
        when (val outcome = session.outcome) {
            is Outcome.Told -> told(outcome)
            is Outcome.OutOfScope -> rejected(outcome)
            is Outcome.Failed, null -> Unit
        }
    }

    private fun told(outcome: Outcome.Told) {
        val report = outcome.report
        band(report.triage, report.advice)
        text(R.id.verdict, report.summary)
        reasons(report.verdict.reasons)
        picture(outcome)
        findings(report.findings)
        numbers(report)
        val rejected = report.verdict is Verdict.Rejected
        show(R.id.slip, !rejected)
        find<View>(R.id.again).isActivated = rejected
    }

    private fun rejected(outcome: Outcome.OutOfScope) {
        band(outcome.triage, outcome.advice)
        text(R.id.verdict, activity.getString(R.string.verdict_rejected))
        reasons(outcome.reasons)
        show(R.id.picture, false)
        findings(emptyList())
        text(R.id.time, null)
        text(R.id.model, null)
        show(R.id.slip, false)
        find<View>(R.id.again).isActivated = true
    }

    private fun band(triage: Triage, advice: String) {
        val look = triage.look
        val on = activity.getColor(look.onColor)
        find<View>(R.id.band).background.mutate().setTint(activity.getColor(look.color))
        find<ImageView>(R.id.icon).run {
            setImageResource(look.icon)
            drawable.mutate().setTint(on)
        }
        find<TextView>(R.id.title).run {
            setText(look.word)
            setTextColor(on)
        }
        find<TextView>(R.id.advice).run {
            text = advice
            setTextColor(on)
        }
    }

    private fun reasons(reasons: List<Reason>) = text(R.id.reasons, reasons.joinToString("\n\n") { it.message })

    private fun picture(outcome: Outcome.Told) {
        find<ImageView>(R.id.picture).setImageBitmap(outcome.preview)
        show(R.id.picture, outcome.preview != null)
    }

    private fun findings(findings: List<Finding>) {
        show(R.id.findings, findings.isNotEmpty())
        val rows = find<ViewGroup>(R.id.rows)
        rows.removeAllViews()
        findings.forEach { rows.addView(row(it, rows)) }
    }

    private fun row(finding: Finding, rows: ViewGroup): View {
        val row = activity.layoutInflater.inflate(R.layout.finding, rows, false)
        row.findViewById<TextView>(R.id.label).text = finding.name
        row.findViewById<TextView>(R.id.share).text = resources.share(finding)
        return row
    }

    private fun numbers(report: Report) {
        text(R.id.time, resources.time(report))
        text(R.id.model, resources.identity(report))
    }
}
