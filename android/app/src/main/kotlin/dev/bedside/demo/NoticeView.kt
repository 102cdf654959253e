package dev.bedside.demo

import android.content.Context
import android.util.AttributeSet
import android.util.TypedValue
import android.widget.TextView

/**
 * The notice at the bottom of a screen. Its type is as large as the person asks for, but not so large that it takes
 * more than 12 % of the screen's height, because it takes room from the result.
 */
class NoticeView(context: Context, attributes: AttributeSet?) : TextView(context, attributes) {
    private val wanted = textSize

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val pixel = resources.displayMetrics.density
        val room = SHARE * resources.displayMetrics.heightPixels
        var size = wanted
        do {
            setTextSize(TypedValue.COMPLEX_UNIT_PX, size)
            super.onMeasure(widthSpec, heightSpec)
            size -= pixel / 2
        } while (measuredHeight > room && size >= SMALLEST * pixel)
    }

    private companion object {
        const val SHARE = 0.12f

        /** The least size of type, in dp. */
        const val SMALLEST = 11
    }
}
