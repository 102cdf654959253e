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
    /** Whether a person brings the spot into a circle, and only that part of the picture is looked at. */
    val crops: Boolean,
    /** Whether the slip has the site on the body. */
    val hasSite: Boolean,
) {
    PHOTO(
        model = "skin-photo/model.prepared",
        title = R.string.home_photo,
        pictureHint = R.string.picture_hint_photo,
        dangerSource = R.string.danger_source_skin,
        fromCamera = true,
        crops = true,
        hasSite = true,
    ),
    SKIN(
        model = "skin-lesion/model.prepared",
        title = R.string.home_skin,
        pictureHint = R.string.picture_hint_skin,
        dangerSource = R.string.danger_source_skin,
        fromCamera = true,
        crops = false,
        hasSite = true,
    ),
    BREAST(
        model = "breast-ultrasound/model.prepared",
        title = R.string.home_breast,
        pictureHint = R.string.picture_hint_breast,
        dangerSource = R.string.danger_source_breast,
        fromCamera = false,
        crops = false,
        hasSite = true,
    ),
    CHEST(
        model = "chest-xray/model.prepared",
        title = R.string.home_chest,
        pictureHint = R.string.picture_hint_chest,
        dangerSource = R.string.danger_source_chest,
        fromCamera = false,
        crops = false,
        hasSite = false,
    ),
}
