package dev.bedside.demo

/** The tasks: the model of each and its texts on the screens. */
enum class Task(
    /** The path of the model among the assets. */
    val model: String,
    val title: Int,
    val pictureHint: Int,
    val dangerLead: Int,
    val dangerSigns: Int,
    val dangerSource: Int,
    /** Whether a picture may come from the camera and the gallery. Else it comes from a file only. */
    val fromCamera: Boolean,
) {
    SKIN(
        model = "skin-lesion/model.onnx",
        title = R.string.home_skin,
        pictureHint = R.string.picture_hint_skin,
        dangerLead = R.string.danger_lead_skin,
        dangerSigns = R.string.danger_skin,
        dangerSource = R.string.danger_source_skin,
        fromCamera = true,
    ),
    CHEST(
        model = "chest-xray/model.onnx",
        title = R.string.home_chest,
        pictureHint = R.string.picture_hint_chest,
        dangerLead = R.string.danger_lead_chest,
        dangerSigns = R.string.danger_chest,
        dangerSource = R.string.danger_source_chest,
        fromCamera = false,
    ),
}
