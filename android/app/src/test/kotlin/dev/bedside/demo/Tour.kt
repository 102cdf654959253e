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

/** Language, light or dark, and the size of type: the ways in which screens are looked at. */
val waysToLook: List<Array<Any>> = listOf("en", "uk").flatMap { language ->
    listOf("notnight", "night").flatMap { night ->
        listOf(1f, 2f).map { font -> arrayOf<Any>(language, night, font) }
    }
}

/** The screen as it is drawn, with what moves at its end. */
fun drawn(screen: View): Bitmap {
    screen.jumpDrawablesToCurrentState()
    return Bitmap.createBitmap(screen.width, screen.height, Bitmap.Config.ARGB_8888).also { screen.draw(Canvas(it)) }
}

/** How long it took differs from run to run, and with its digits the lines of a screen. */
fun Phone.saysItTook(milliseconds: String, language: String) {
    val time = activity.findViewById<View>(R.id.time) as TextView?
    if (time?.isShown == true) time.text = Deck(language)["result.time", milliseconds]
    idle()
}

/** Every screen of the app, each with the way that leads to it. */
val tour: Map<String, () -> Phone> = linkedMapOf(
    "home" to { Phone() },
    "home-shared" to { Phone(share(elsewhere("ISIC_0012134.jpg"))) },
    "danger-both" to { Phone().apply { tap(R.id.danger) } },
    "questions" to { Phone().apply { chooses(R.id.skin) } },
    "questions-open" to {
        Phone().apply {
            chooses(R.id.skin)
            tap(R.id.next)
        }
    },
    "questions-answered" to {
        Phone().apply {
            chooses(R.id.skin)
            tap(R.id.yes)
        }
    },
    "picture" to { Phone().apply { toSkinPicture() } },
    "picture-no-camera" to {
        Phone().apply {
            toSkinPicture()
            withoutOtherApps { tap(R.id.take) }
        }
    },
    "work" to {
        Phone().apply {
            toSkinPicture()
            picks(elsewhere("slow.jpg") { slow() })
        }
    },
    "result-refer" to { looked("ISIC_0012134.jpg") },
    "result-urgent" to { looked("ISIC_0012086.jpg") },
    "result-danger" to { looked("ISIC_0012086.jpg").apply { tap(R.id.danger) } },
    "result-none" to {
        Phone().apply {
            chooses(R.id.skin)
            tap(R.id.no)
            tap(R.id.next)
            await(Step.RESULT)
        }
    },
    "slip" to {
        // By a number that is the same each time.
        looked("ISIC_0012086.jpg").apply { activity.session.move(capture.slip("2026-11-23-7KMP")) }
    },
    "error" to {
        Phone().apply {
            toSkinPicture()
            picks(elsewhere("broken.jpg") { ByteArrayInputStream("%PDF".toByteArray()) })
            await(Step.ERROR)
        }
    },
    "chest-questions" to {
        Phone().apply {
            chooses(R.id.chest)
            type(numberField(), "7 years")
            tap(R.id.next)
        }
    },
    "chest-picture" to { Phone().apply { toChestPicture("3") } },
    "chest-result" to {
        Phone().apply {
            toChestPicture("3")
            looksAt(elsewhere("person100_bacteria_475.jpeg"))
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

/** Chest X-ray: a child of this age, and yes to whatever else is asked. */
fun Phone.toChestPicture(age: String) {
    chooses(R.id.chest)
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

private fun looked(name: String): Phone = Phone().apply {
    toSkinPicture()
    looksAt(elsewhere(name))
}

/** Another app that takes its time. */
private fun slow(): Nothing {
    Thread.sleep(5_000)
    throw IllegalStateException("too late")
}
