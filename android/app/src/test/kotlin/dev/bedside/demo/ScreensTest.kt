package dev.bedside.demo

import android.graphics.Bitmap
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import com.google.android.apps.common.testing.accessibility.framework.AccessibilityCheckPreset
import com.google.android.apps.common.testing.accessibility.framework.AccessibilityCheckResult
import com.google.android.apps.common.testing.accessibility.framework.AccessibilityHierarchyCheck
import com.google.android.apps.common.testing.accessibility.framework.AccessibilityHierarchyCheckResult
import com.google.android.apps.common.testing.accessibility.framework.Parameters
import com.google.android.apps.common.testing.accessibility.framework.checks.DuplicateSpeakableTextCheck
import com.google.android.apps.common.testing.accessibility.framework.uielement.AccessibilityHierarchy
import com.google.android.apps.common.testing.accessibility.framework.uielement.AccessibilityHierarchyAndroid
import com.google.android.apps.common.testing.accessibility.framework.utils.contrast.BitmapImage
import java.util.MissingResourceException
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

private val PROBLEMS = setOf(
    AccessibilityCheckResult.AccessibilityCheckResultType.ERROR,
    AccessibilityCheckResult.AccessibilityCheckResultType.WARNING,
)

/**
 * Every screen in both languages, light and dark, with type of the usual and of twice the size: Google's accessibility
 * checks find nothing, and no text is cut off.
 */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest(private val language: String, private val night: String, private val font: Float) {
    @Test
    fun screens() = visit("w360dp-h740dp", tour)

    /** All of a screen at once, with what is else to be scrolled to. */
    @Test
    fun whole_screens() = visit("w360dp-h3000dp", tour - "work")

    @Test
    fun screens_of_a_phone_on_its_side() = visit("w740dp-h360dp-land", tour)

    private fun visit(size: String, screens: Map<String, () -> Phone>) {
        RuntimeEnvironment.setQualifiers("+$language-$size-$night")
        RuntimeEnvironment.setFontScale(font)
        val problems = screens.flatMap { (name, way) ->
            val phone = way()
            phone.saysItTook("12345", language)
            val screen = phone.activity.window.decorView
            val drawn = drawn(screen)
            val found = found(screen, drawn) + cut(screen)
            phone.leaves()
            found.map { "$name: $it" }
        }
        assertEquals(emptyList<String>(), problems)
    }

    /** What Google's checks find: labels, targets under 48 dp, contrast on the drawn pixels, and more. */
    private fun found(screen: View, drawn: Bitmap): List<String> {
        val views = AccessibilityHierarchyAndroid.newBuilder(screen).build()
        val capture = Parameters().apply { putScreenCapture(BitmapImage(drawn)) }
        return AccessibilityCheckPreset.getAccessibilityHierarchyChecksForPreset(AccessibilityCheckPreset.LATEST)
            .flatMap { results(it, views, capture) }
            .filter { it.type in PROBLEMS }
            .filterNot(::isHalfScrolledAway)
            .filterNot(::isFieldBesideItsLabel)
            .map { "${it.sourceCheckClass.simpleName} ${it.resultId} ${it.element?.resourceName} ${it.metadata}" }
    }

    /** What the edge of a scrolled column cuts has few pixels to judge by; whole screens are looked at too. */
    private fun isHalfScrolledAway(result: AccessibilityHierarchyCheckResult): Boolean =
        result.metadata?.getBoolean("KEY_IS_AGAINST_SCROLLABLE_EDGE", false) == true

    /** A field's name is its label's text, as Android wants it (`labelFor`): the check counts that as said twice. */
    private fun isFieldBesideItsLabel(result: AccessibilityHierarchyCheckResult): Boolean =
        result.sourceCheckClass == DuplicateSpeakableTextCheck::class.java &&
            result.element?.labeledBy != null &&
            result.metadata?.getInt("KEY_CONFLICTING_VIEW_COUNT", 0) == 1

    /** Two checks look for a bundle of strings that is not in the jar. */
    private fun results(
        check: AccessibilityHierarchyCheck,
        views: AccessibilityHierarchy,
        capture: Parameters,
    ): List<AccessibilityHierarchyCheckResult> =
        try {
            check.runCheckOnHierarchy(views, null, capture)
        } catch (_: MissingResourceException) {
            emptyList()
        }

    /** Texts that are higher than their view, or wider, so that some of them is not to be read. */
    private fun cut(screen: View): List<String> = views(screen).filterIsInstance<TextView>().filter { it.isShown }
        .filter { view ->
            val layout = view.layout ?: return@filter false
            val room = view.height - view.compoundPaddingTop - view.compoundPaddingBottom
            val wide = (0 until layout.lineCount).any { layout.getLineMax(it) > layout.width + 1 }
            layout.height > room || wide || (0 until layout.lineCount).any { layout.getEllipsisCount(it) > 0 }
        }
        .map { "“${it.text}” is cut off" }

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}-{1}-{2}")
        fun ways(): List<Array<Any>> = waysToLook
    }
}

private fun views(view: View): List<View> =
    if (view is ViewGroup) listOf(view) + (0 until view.childCount).flatMap { views(view.getChildAt(it)) }
    else listOf(view)
