package dev.bedside.demo

import android.widget.Button

/** The screen on which a picture is taken or chosen. */
class PictureScreen(activity: MainActivity) : Screen(activity, R.layout.picture) {
    init {
        backArrow()
        onClick(R.id.take, activity::takePicture)
        onClick(R.id.choose, activity::choosePicture)
        onClick(R.id.use_shared) { session.capture.shared?.let { use(it) } }
        onClick(R.id.use_same) { session.capture.picture?.let { use(it, session.capture.taken) } }
    }

    override fun draw() {
        val capture = session.capture
        val task = capture.task ?: return
        text(R.id.hint, activity.getString(task.pictureHint))
        show(R.id.guide, task.crops)
        show(R.id.take, task.fromCamera)
        show(R.id.use_shared, capture.shared != null)
        show(R.id.use_same, capture.picture != null && !capture.refused)
        emphasize(primary(capture, task))
    }

    fun sayNoCamera() {
        text(R.id.message, activity.getString(R.string.picture_no_camera))
        emphasize(R.id.choose)
    }

    fun sayNoPicker() = text(R.id.message, activity.getString(R.string.picture_no_picker))

    private fun use(address: String, taken: Boolean = false) = session.move(session.capture.pictured(address, taken))

    private fun primary(capture: Capture, task: Task): Int = when {
        capture.shared != null -> R.id.use_shared
        task.fromCamera -> R.id.take
        else -> R.id.choose
    }

    private fun emphasize(primary: Int) {
        listOf(R.id.use_shared, R.id.take, R.id.choose, R.id.use_same).forEach { id ->
            find<Button>(id).isActivated = id == primary
        }
    }
}
