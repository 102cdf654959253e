package dev.bedside.demo

import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.TextView
import dev.bedside.Label
import dev.bedside.Manifest
import dev.bedside.Report

/** The page for clinicians: the numbers behind a result, and the shares of the labels that they assume. */
class CliniciansScreen(activity: MainActivity) : Screen(activity, R.layout.clinicians) {
    private val resources = activity.resources
    private val fields = LinkedHashMap<String, EditText>()

    init {
        backArrow()
        onClick(R.id.apply, ::apply)
    }

    override fun draw() {
        val told = session.outcome as? Outcome.Told ?: return
        val manifest = session.manifest ?: return
        findings(told.report)
        shares(manifest, shown = told.report.findings.isNotEmpty())
        text(R.id.decided, activity.getString(told.report.decidedBy.sentence))
        text(R.id.quality, told.report.quality?.let(resources::measures))
        text(R.id.novelty, told.report.novelty?.let(resources::novelty))
        show(R.id.measures, told.report.quality != null)
        text(R.id.model, resources.identity(told.report))
        text(R.id.time, resources.time(told.report))
    }

    private fun findings(report: Report) {
        val rows = find<ViewGroup>(R.id.rows)
        rows.removeAllViews()
        report.findings.forEach { finding ->
            val row = activity.layoutInflater.inflate(R.layout.clinicians_finding, rows, false)
            row.findViewById<TextView>(R.id.label).text = finding.name
            row.findViewById<TextView>(R.id.share).text = resources.probability(finding)
            rows.addView(row)
        }
        show(R.id.none, report.findings.isEmpty())
        show(R.id.with_local, report.findings.isNotEmpty() && session.capture.shares.isNotEmpty())
    }

    /** The shares in the calibration data, and a field for each label. A model may not state shares. */
    private fun shares(manifest: Manifest, shown: Boolean) {
        val shares = manifest.calibrationShares()
        show(R.id.shares, shown && shares.isNotEmpty())
        if (!shown || shares.isEmpty()) return
        val labels = manifest.shownLabels
        text(R.id.assumed_shares, labels.joinToString("\n") { label ->
            activity.getString(R.string.clinicians_share, label.name, resources.percent(shares.getValue(label.id)))
        })
        if (fields.isEmpty()) {
            val list = find<ViewGroup>(R.id.local_shares)
            labels.forEach { list.addView(field(it, list)) }
        }
    }

    private fun field(label: Label, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.clinicians_share, list, false)
        val field = view.findViewById<EditText>(R.id.number)
        field.id = View.generateViewId()
        val name = view.findViewById<TextView>(R.id.label)
        name.text = activity.getString(R.string.clinicians_field, label.name)
        name.labelFor = field.id
        field.isSaveEnabled = false
        field.setText(session.capture.shares[label.id])
        field.addTextChangedListener(OnText { text(R.id.message, null) })
        fields[label.id] = field
        return view
    }

    private fun apply() {
        val entered = fields.mapValues { it.value.text.toString() }.filterValues { it.isNotBlank() }
        if (prevalence(fields.keys.toList(), entered) == null) {
            text(R.id.message, activity.getString(R.string.clinicians_not_shares))
        } else {
            session.move(session.capture.withShares(entered))
        }
    }
}
