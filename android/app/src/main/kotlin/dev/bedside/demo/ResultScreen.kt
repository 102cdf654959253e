package dev.bedside.demo

import android.view.View
import android.widget.ImageView
import android.widget.TextView
import dev.bedside.Reason
import dev.bedside.Triage

/** The screen of a result: what to do, why, and what can be done next. It has no numbers. */
class ResultScreen(activity: MainActivity) : Screen(activity, R.layout.result) {
    init {
        backArrow()
        onClick(R.id.slip) { session.move(session.capture.slip(caseNumber(), System.currentTimeMillis())) }
        onClick(R.id.retake) { session.move(session.capture.retaken()) }
        onClick(R.id.clinicians) { session.move(session.capture.clinicians()) }
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
        because(outcome, report.warnings.map { it.message })
        find<ImageView>(R.id.picture).setImageBitmap(outcome.preview)
        show(R.id.picture, outcome.preview != null)
        show(R.id.clinicians, true)
        next(outcome, report.triage)
    }

    private fun rejected(outcome: Outcome.OutOfScope) {
        band(outcome.triage, outcome.advice)
        text(R.id.verdict, activity.getString(R.string.verdict_rejected))
        because(outcome)
        show(R.id.picture, false)
        show(R.id.clinicians, false)
        next(outcome, outcome.triage)
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

    /** The danger signs where they decided, the reasons where the picture was refused, and the warnings. */
    private fun because(outcome: Outcome, warnings: List<String> = emptyList()) {
        val signs = session.manifest?.dangerSigns(session.capture.answers).orEmpty()
        show(R.id.because, outcome.decidedByDanger)
        text(R.id.signs, if (outcome.decidedByDanger) signs.joinToString("\n") { "• ${it.question}" } else null)
        text(R.id.reasons, (outcome.reasons.map { it.message } + warnings).joinToString("\n\n"))
    }

    /**
     * What can be done next. Where there is no assessment, no button leads to other answers, so that nobody gives them
     * for the sake of a result.
     */
    private fun next(outcome: Outcome, triage: Triage) {
        val hasSlip = triage == Triage.REFER || triage == Triage.URGENT
        val again = canRetake(outcome.reasons)
        val assessed = outcome.reasons.isEmpty() && triage != Triage.UNASSESSED
        show(R.id.next, !assessed && !again && !hasSlip)
        show(R.id.slip, hasSlip)
        show(R.id.retake, again)
        show(R.id.again, assessed)
        find<View>(R.id.home).isActivated = !hasSlip && !again
    }

    /** Whether another picture may help: the first of the case, from the camera, was refused for its quality alone. */
    private fun canRetake(reasons: List<Reason>): Boolean {
        val capture = session.capture
        return capture.taken && capture.refusals == 0 && reasons.isNotEmpty() && reasons.all { it.isQuality }
    }
}
