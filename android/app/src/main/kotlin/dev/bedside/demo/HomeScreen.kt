package dev.bedside.demo

import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.Button

/** The first screen, on which the task is chosen. */
class HomeScreen(activity: MainActivity) : Screen(activity, R.layout.home) {
    init {
        task(R.id.photo, Task.PHOTO)
        task(R.id.skin, Task.SKIN)
        task(R.id.breast, Task.BREAST)
        task(R.id.chest, Task.CHEST)
    }

    override fun draw() = show(R.id.shared, session.capture.shared != null)

    private fun task(id: Int, task: Task) {
        onClick(id) { session.move(session.capture.chosen(task)) }
        find<View>(id).accessibilityDelegate = SaysButton
    }
}

/** Makes a screen reader announce a group of views as a button. */
private object SaysButton : View.AccessibilityDelegate() {
    override fun onInitializeAccessibilityNodeInfo(host: View, info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(host, info)
        info.className = Button::class.java.name
    }
}
