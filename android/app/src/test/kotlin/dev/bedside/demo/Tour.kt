package dev.bedside.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.view.View
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import java.io.ByteArrayInputStream
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** The configurations in which screens are drawn: language, light or dark, and the size of type. */
val configurations: List<Array<Any>> = listOf("en", "uk").flatMap { language ->
    listOf("notnight", "night").flatMap { night ->
        listOf(1f, 2f).map { font -> arrayOf<Any>(language, night, font) }
    }
}

/** The screen as a bitmap, with animations at their end. */
fun drawn(screen: View): Bitmap {
    screen.jumpDrawablesToCurrentState()
    return Bitmap.createBitmap(screen.width, screen.height, Bitmap.Config.ARGB_8888).also { screen.draw(Canvas(it)) }
}

/** Sets the time of the classification, which differs between runs and may change the line breaks. */
fun Phone.setTime(milliseconds: String, language: String) {
    val time = activity.findViewById<View>(R.id.time) as TextView?
    if (time?.isShown == true) time.text = Deck(language)["result.time", milliseconds]
    idle()
}

/** Each screen of the app by its name, with a function that opens it. */
val tour: Map<String, () -> Phone> = linkedMapOf(
    "home" to { Phone() },
    "home-shared" to { Phone(share(galleryAddress("ISIC_0012090.jpg"))) },
    "questions" to { Phone().apply { chooseTask(R.id.skin) } },
    "questions-open" to {
        Phone().apply {
            chooseTask(R.id.skin)
            tap(R.id.next)
        }
    },
    "questions-answered" to {
        Phone().apply {
            chooseTask(R.id.skin)
            tapSign(sign("skin-lesion", "lump"))
            tap(R.id.yes)
        }
    },
    "picture" to { Phone().apply { openSkinPicture() } },
    "picture-no-camera" to {
        Phone().apply {
            openSkinPicture()
            withoutOtherApps { tap(R.id.take) }
        }
    },
    "work" to {
        Phone().apply {
            openSkinPicture()
            choosePicture(galleryAddress("slow.jpg") { slow() })
        }
    },
    "result-refer" to { resultOf("ISIC_0012090.jpg") },
    "result-urgent" to { resultOf("ISIC_0012086.jpg") },
    "result-danger" to { resultOf("ISIC_0012090.jpg", "sore", "bleeds") },
    "result-no-sign" to { noSignResult() },
    "result-none" to { Phone().apply { openResultWithoutPicture() } },
    "result-none-danger" to { Phone().apply { openResultWithoutPicture("nail") } },
    "result-quality" to { Phone().apply { takeGrayPicture() } },
    "result-quality-again" to {
        Phone().apply {
            takeGrayPicture()
            tap(R.id.retake)
            takePicture(grayPicture())
            await(Step.RESULT)
        }
    },
    "clinicians" to { resultOf("ISIC_0012086.jpg").apply { tap(R.id.clinicians) } },
    "clinicians-shares" to {
        resultOf("ISIC_0012086.jpg").apply {
            tap(R.id.clinicians)
            applyShares("2", "88", "10")
        }
    },
    "clinicians-none" to {
        Phone().apply {
            takeGrayPicture()
            tap(R.id.clinicians)
        }
    },
    "slip" to {
        resultOf("ISIC_0012090.jpg", "sore").apply {
            openSlip()
            type(view(R.id.site) as EditText, if (appLanguage() == "uk") "ліва гомілка" else "left lower leg")
        }
    },
    "error" to {
        Phone().apply {
            openSkinPicture()
            choosePicture(galleryAddress("broken.jpg") { ByteArrayInputStream("%PDF".toByteArray()) })
            await(Step.ERROR)
        }
    },
    "photo-questions" to { Phone().apply { chooseTask(R.id.photo) } },
    "photo-picture" to { Phone().apply { openPhotoPicture() } },
    "photo-crop" to { photoCrop() },
    "photo-result" to { photoResult("PAT_1113_458_387.jpg") },
    "photo-result-urgent" to { photoResult("PAT_115_1138_870.jpg") },
    "photo-clinicians" to { photoResult("PAT_115_1138_870.jpg").apply { tap(R.id.clinicians) } },
    "photo-slip" to { photoResult("PAT_115_1138_870.jpg").apply { openSlip() } },
    "breast-questions" to { Phone().apply { chooseTask(R.id.breast) } },
    "breast-picture" to { Phone().apply { openBreastPicture() } },
    "breast-result" to { breastResult("bus_0016-l.jpg") },
    "breast-result-none" to { breastResult("normal_103.png") },
    "chest-questions" to {
        Phone().apply {
            chooseTask(R.id.chest)
            type(numberFields().last(), "12")
            tap(R.id.next)
        }
    },
    "chest-picture" to { Phone().apply { openChestPicture("3") } },
    "chest-result" to {
        Phone().apply {
            openChestPicture("3")
            classifyPicture(galleryAddress("person100_bacteria_475.jpeg"))
        }
    },
    "chest-clinicians" to {
        Phone().apply {
            openChestPicture("3")
            classifyPicture(galleryAddress("person100_bacteria_475.jpeg"))
            tap(R.id.clinicians)
        }
    },
    "chest-slip" to {
        Phone().apply {
            openChestPicture("3")
            classifyPicture(galleryAddress("person100_bacteria_475.jpeg"))
            openSlip()
        }
    },
)

/** The fields of the questions for numbers: those of the age are first the years, then the months. */
fun Phone.numberFields(): List<EditText> = fields(view(R.id.questions) as LinearLayout)

/** The question about a danger sign in the language of the app. */
fun sign(model: String, id: String): String =
    questions(model, "danger").first { it.getString("id") == id }.getJSONObject("question").getString(appLanguage())

fun appLanguage(): String = RuntimeEnvironment.getApplication().getString(R.string.language)

/** Opens the slip with a case number and a time that are the same in each run. */
fun Phone.openSlip() {
    activity.session.move(capture.slip("2026-11-23-7KMP", 1_795_424_400_000))
    idle()
}

/** Enters shares on the page for clinicians, in the order of the labels, and waits for the probabilities. */
fun Phone.applyShares(vararg shares: String) {
    val fields = fields(view(R.id.local_shares) as LinearLayout)
    fields.zip(shares).forEach { (field, share) -> type(field, share) }
    tap(R.id.apply)
    await(Step.CLINICIANS) { shown(R.id.rows) }
}

/** Takes a picture of the skin that is refused for its quality. */
fun Phone.takeGrayPicture() {
    openSkinPicture()
    takePicture(grayPicture())
    await(Step.RESULT)
}

/** Answers that there was no dermatoscope, so that there is a result without a picture, and states danger signs. */
fun Phone.openResultWithoutPicture(vararg signs: String) {
    chooseTask(R.id.skin)
    signs.forEach { tapSign(sign("skin-lesion", it)) }
    answerWithoutDermatoscope()
    tap(R.id.next)
    await(Step.RESULT)
}

/** A result whose triage is `NoSign`: a film of the test split without pneumonia. */
fun noSignResult(): Phone = Phone().apply {
    openChestPicture("3")
    classifyPicture(galleryAddress("IM-0003-0001.jpeg"))
}

private fun fields(list: LinearLayout): List<EditText> = (0 until list.childCount).flatMap { index ->
    when (val child = list.getChildAt(index)) {
        is EditText -> listOf(child)
        is LinearLayout -> fields(child)
        else -> emptyList()
    }
}

/** Goes to the screen on which an X-ray is chosen, with this age in years and `yes` to the other question. */
fun Phone.openChestPicture(years: String) {
    chooseTask(R.id.chest)
    type(numberFields().first(), years)
    tap(R.id.yes)
    tap(R.id.next)
    await(Step.PICTURE)
}

private fun withoutOtherApps(act: () -> Unit) {
    val application = shadowOf(RuntimeEnvironment.getApplication())
    application.checkActivities(true)
    act()
    application.checkActivities(false)
}

private fun photoCrop(name: String = "PAT_115_1138_870.jpg"): Phone = Phone().apply {
    openPhotoPicture()
    choosePicture(galleryAddress(name))
    await(Step.CROP) { shown(R.id.look) }
}

private fun photoResult(name: String): Phone = photoCrop(name).apply {
    tap(R.id.look)
    await(Step.RESULT)
}

private fun breastResult(name: String): Phone = Phone().apply {
    openBreastPicture()
    classifyPicture(galleryAddress(name))
}

private fun resultOf(name: String, vararg signs: String): Phone = Phone().apply {
    openSkinPicture(*signs.map { sign("skin-lesion", it) }.toTypedArray())
    classifyPicture(galleryAddress(name))
}

/** Another app that is slow. */
private fun slow(): Nothing {
    Thread.sleep(5_000)
    throw IllegalStateException("too late")
}
