package dev.bedside.demo

/** While the program looks at the picture. */
class WorkScreen(activity: MainActivity) : Screen(activity, R.layout.work) {
    init {
        onClick(R.id.cancel) { session.move(session.capture.stopped()) }
    }

    override fun draw() = Unit
}
