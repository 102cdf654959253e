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
    "home-shared" to { Phone(share(galleryAddress("ISIC_0012134.jpg"))) },
    "danger-both" to { Phone().apply { tap(R.id.danger) } },
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
    "result-refer" to { resultOf("ISIC_0012134.jpg") },
    "result-urgent" to { resultOf("ISIC_0012086.jpg") },
    "result-danger" to { resultOf("ISIC_0012086.jpg").apply { tap(R.id.danger) } },
    "result-none" to {
        Phone().apply {
            chooseTask(R.id.skin)
            tap(R.id.no)
            tap(R.id.next)
            await(Step.RESULT)
        }
    },
    "slip" to {
        // The case number is the same in each run.
        resultOf("ISIC_0012086.jpg").apply { activity.session.move(capture.slip("2026-11-23-7KMP")) }
    },
    "error" to {
        Phone().apply {
            openSkinPicture()
            choosePicture(galleryAddress("broken.jpg") { ByteArrayInputStream("%PDF".toByteArray()) })
            await(Step.ERROR)
        }
    },
    "chest-questions" to {
        Phone().apply {
            chooseTask(R.id.chest)
            type(numberField(), "7 years")
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
)

fun Phone.numberField(): EditText = checkNotNull(fields((view(R.id.questions) as LinearLayout)).firstOrNull())

private fun fields(list: LinearLayout): List<EditText> = (0 until list.childCount).flatMap { index ->
    when (val child = list.getChildAt(index)) {
        is EditText -> listOf(child)
        is LinearLayout -> fields(child)
        else -> emptyList()
    }
}

/** Goes to the screen on which an X-ray is chosen, with this age and `yes` to the other question. */
fun Phone.openChestPicture(age: String) {
    chooseTask(R.id.chest)
    type(numberField(), age)
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

private fun resultOf(name: String): Phone = Phone().apply {
    openSkinPicture()
    classifyPicture(galleryAddress(name))
}

/** Another app that is slow. */
private fun slow(): Nothing {
    Thread.sleep(5_000)
    throw IllegalStateException("too late")
}
