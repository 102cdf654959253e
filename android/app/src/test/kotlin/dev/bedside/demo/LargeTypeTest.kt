package dev.bedside.demo

import android.graphics.Rect
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.ParameterizedRobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The screens with type of twice the size. */
@RunWith(ParameterizedRobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "w360dp-h740dp-xhdpi")
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class LargeTypeTest(private val language: String) {
    @Test
    fun notice_takes_at_most_12_percent_of_the_height_and_the_slip_button_is_in_the_first_view() {
        RuntimeEnvironment.setQualifiers("+$language")
        RuntimeEnvironment.setFontScale(2f)
        val (shares, views) = HashMap<String, Float>() to HashMap<String, Boolean>()
        for ((name, open) in tour - "work") {
            val phone = open()
            if (phone.shown(R.id.notice)) shares[name] = phone.view(R.id.notice).height / 1480f
            if (phone.shown(R.id.slip)) views[name] = isWhole(phone.view(R.id.slip))
            phone.close()
        }
        assertTrue("$shares", shares.size > 10 && shares.values.all { it <= 0.12f })
        assertEquals(emptySet<String>(), views.filterValues { !it }.keys)
        assertTrue("$views", views.size > 4)
    }

    /** Whether the view can be seen from its top to its bottom. */
    private fun isWhole(view: View): Boolean {
        val seen = Rect()
        return view.getGlobalVisibleRect(seen) && seen.height() == view.height
    }

    companion object {
        @JvmStatic
        @ParameterizedRobolectricTestRunner.Parameters(name = "{0}")
        fun languages(): List<Array<Any>> = listOf(arrayOf("en"), arrayOf("uk"))
    }
}
