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
import com.google.android.apps.common.testing.accessibility.framework.checks.ImageContrastCheck
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

/** How the identifiers of views begin that show a photo. */
private val PHOTOS = listOf("id/picture", "id/example_")

/**
 * Each screen in both languages, light and dark, with type of the usual and of twice the size: Google's accessibility
 * checks find no problem, and no text is cut off.
 */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class ScreensTest(private val language: String, private val night: String, private val font: Float) {
    @Test
    fun screens_in_portrait_pass_the_checks() = visit("w360dp-h740dp", tour)

    /** The screens so high that nothing has to be scrolled. */
    @Test
    fun screens_drawn_whole_pass_the_checks() = visit("w360dp-h3000dp", tour - "work")

    @Test
    fun screens_in_landscape_pass_the_checks() = visit("w740dp-h360dp-land", tour)

    private fun visit(size: String, screens: Map<String, () -> Phone>) {
        RuntimeEnvironment.setQualifiers("+$language-$size-$night")
        RuntimeEnvironment.setFontScale(font)
        val problems = screens.flatMap { (name, open) ->
            val phone = open()
            phone.setTime("12345", language)
            val screen = phone.activity.window.decorView
            val drawn = drawn(screen)
            val found = accessibilityProblems(screen, drawn) + cutOffTexts(screen)
            phone.close()
            found.map { "$name: $it" }
        }
        assertEquals(emptyList<String>(), problems)
    }

    /** The problems that Google's checks find, such as missing labels, targets under 48 dp and low contrast. */
    private fun accessibilityProblems(screen: View, drawn: Bitmap): List<String> {
        val views = AccessibilityHierarchyAndroid.newBuilder(screen).build()
        val capture = Parameters().apply { putScreenCapture(BitmapImage(drawn)) }
        return AccessibilityCheckPreset.getAccessibilityHierarchyChecksForPreset(AccessibilityCheckPreset.LATEST)
            .flatMap { results(it, views, capture) }
            .filter { it.type in PROBLEMS }
            .filterNot(::isCutByScrolling)
            .filterNot(::isFieldBesideItsLabel)
            .filterNot(::isContrastOfAPhoto)
            .map { "${it.sourceCheckClass.simpleName} ${it.resultId} ${it.element?.resourceName} ${it.metadata}" }
    }

    /** Whether a view is cut by the edge of a scrolled column. Screens that are drawn whole check it too. */
    private fun isCutByScrolling(result: AccessibilityHierarchyCheckResult): Boolean =
        result.metadata?.getBoolean("KEY_IS_AGAINST_SCROLLABLE_EDGE", false) == true

    /** Whether a field has the text of its own label (`labelFor`), which the check counts as a duplicate. */
    private fun isFieldBesideItsLabel(result: AccessibilityHierarchyCheckResult): Boolean =
        result.sourceCheckClass == DuplicateSpeakableTextCheck::class.java &&
            result.element?.labeledBy != null &&
            result.metadata?.getInt("KEY_CONFLICTING_VIEW_COUNT", 0) == 1

    /** Whether it is about the contrast inside a photo, which is shown as it was taken, be it black. */
    private fun isContrastOfAPhoto(result: AccessibilityHierarchyCheckResult): Boolean =
        result.sourceCheckClass == ImageContrastCheck::class.java &&
            PHOTOS.any { result.element?.resourceName?.contains(it) == true }

    /** The results of a check. Two checks need a bundle of strings that the jar lacks, and have none. */
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

    /** Texts that are higher or wider than their view, so that they are cut off. */
    private fun cutOffTexts(screen: View): List<String> = views(screen)
        .filterIsInstance<TextView>()
        .filter { it.isShown }
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
        fun parameters(): List<Array<Any>> = configurations
    }
}

private fun views(view: View): List<View> =
    if (view is ViewGroup) listOf(view) + (0 until view.childCount).flatMap { views(view.getChildAt(it)) }
    else listOf(view)
