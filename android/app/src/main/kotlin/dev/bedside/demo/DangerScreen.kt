package dev.bedside.demo

import android.view.ViewGroup
import android.widget.TextView

/** The danger signs of the chosen task, or of both tasks, shown over another screen. */
class DangerScreen(activity: MainActivity) : Screen(activity, R.layout.danger) {
    init {
        onClick(R.id.close) { session.move(session.capture.dangerClosed()) }
    }

    override fun draw() {
        val list = find<ViewGroup>(R.id.signs)
        list.removeAllViews()
        val chosen = session.capture.task
        for (task in chosen?.let(::listOf) ?: Task.entries) {
            if (chosen == null) line(list, R.layout.danger_task, activity.getString(task.title))
            line(list, R.layout.danger_lead, activity.getString(task.dangerLead))
            activity.getString(task.dangerSigns).lines().forEach { line(list, R.layout.danger_sign, it) }
            line(list, R.layout.danger_source, activity.getString(task.dangerSource))
        }
    }

    private fun line(list: ViewGroup, layout: Int, text: String) {
        val view = activity.layoutInflater.inflate(layout, list, false)
        (view as? TextView ?: view.findViewById(R.id.sign)).text = text
        list.addView(view)
    }
}
