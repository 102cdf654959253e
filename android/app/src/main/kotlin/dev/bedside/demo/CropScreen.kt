package dev.bedside.demo

/** The screen on which the spot is brought into the circle: what is in the square is what the program sees. */
class CropScreen(activity: MainActivity) : Screen(activity, R.layout.crop) {
    private val window = find<CropView>(R.id.window)

    init {
        backArrow()
        window.onChange = { session.crop = it }
        onClick(R.id.closer) { window.enlarge(CropView.FACTOR) }
        onClick(R.id.further) { window.enlarge(1 / CropView.FACTOR) }
        onClick(R.id.look, ::look)
    }

    override fun draw() {
        val picture = session.preview
        picture?.let { window.show(it, session.crop) }
        show(R.id.opening, picture == null)
        show(R.id.content, picture != null)
        show(R.id.footer, picture != null)
    }

    private fun look() {
        val picture = session.preview ?: return
        session.move(session.capture.cropped(window.crop.part(picture.width, picture.height)))
    }
}
