package dev.bedside.demo

import android.os.Build
import android.view.View
import android.widget.TextView

/** A screen: a layout that is drawn from the session after each change. */
abstract class Screen(protected val activity: MainActivity, layout: Int) {
    val view: View = activity.layoutInflater.inflate(layout, activity.root, false)

    protected val session: Session
        get() = activity.session

    abstract fun draw()

    /** Makes a screen reader announce this screen. */
    fun announce() {
        val heading = find<TextView>(R.id.title).text
        if (Build.VERSION.SDK_INT >= 28) {
            view.accessibilityPaneTitle = heading
        } else {
            view.announceForAccessibility(heading)
        }
    }

    protected fun <T : View> find(id: Int): T = view.findViewById(id)

    protected fun text(id: Int, text: CharSequence?) {
        val field = find<TextView>(id)
        field.text = text
        field.visibility = if (text.isNullOrEmpty()) View.GONE else View.VISIBLE
    }

    protected fun onClick(id: Int, act: () -> Unit) = find<View>(id).setOnClickListener { act() }

    protected fun show(id: Int, shown: Boolean) {
        find<View>(id).visibility = if (shown) View.VISIBLE else View.GONE
    }

    /** Makes the arrow at the top left go back. The layout must have one. */
    protected fun backArrow() = onClick(R.id.back, activity::back)
}
