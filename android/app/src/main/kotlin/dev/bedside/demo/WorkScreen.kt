package dev.bedside.demo

/** The screen while a picture is classified. */
class WorkScreen(activity: MainActivity) : Screen(activity, R.layout.work) {
    init {
        onClick(R.id.cancel) { session.move(session.capture.stopped()) }
    }

    override fun draw() = Unit
}
