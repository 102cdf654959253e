package dev.bedside.demo

/** While the program looks at the picture. */
class WorkScreen(activity: MainActivity) : Screen(activity, R.layout.work) {
    init {
        onClick(R.id.cancel, activity::back)
    }

    override fun draw() = Unit
}
