package dev.bedside.demo

/** The screen of an error and of what to do. */
class ErrorScreen(activity: MainActivity) : Screen(activity, R.layout.error) {
    init {
        backArrow()
        onClick(R.id.choose_again, activity::back)
        onClick(R.id.home) { session.move(session.capture.finished()) }
    }

    override fun draw() {
        val failed = session.outcome as? Outcome.Failed ?: return
        text(R.id.message, activity.resources.sentence(failed))
        show(R.id.choose_again, failed.aboutPicture)
    }
}
