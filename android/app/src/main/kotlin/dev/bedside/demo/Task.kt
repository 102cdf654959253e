package dev.bedside.demo

/** The tasks: the model of each and its texts on the screens. */
enum class Task(
    /** The path of the model among the assets. */
    val model: String,
    val title: Int,
    val pictureHint: Int,
    val dangerSource: Int,
    /** Whether a picture may come from the camera and the gallery. Else it comes from a file only. */
    val fromCamera: Boolean,
    /** Whether the slip has the site on the body. */
    val hasSite: Boolean,
) {
    SKIN(
        model = "skin-lesion/model.onnx",
        title = R.string.home_skin,
        pictureHint = R.string.picture_hint_skin,
        dangerSource = R.string.danger_source_skin,
        fromCamera = true,
        hasSite = true,
    ),
    CHEST(
        model = "chest-xray/model.onnx",
        title = R.string.home_chest,
        pictureHint = R.string.picture_hint_chest,
        dangerSource = R.string.danger_source_chest,
        fromCamera = false,
        hasSite = false,
    ),
}
