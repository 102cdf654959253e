package dev.bedside.demo

import android.annotation.SuppressLint
import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.Path
import android.graphics.Rect
import android.graphics.RectF
import android.os.Bundle
import android.util.AttributeSet
import android.view.KeyEvent
import android.view.MotionEvent
import android.view.ScaleGestureDetector
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction
import kotlin.math.roundToInt

/** A square window on a picture, which fingers and keys move and enlarge, with a circle for the spot to fill. */
class CropView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private var picture: Bitmap? = null

    /** The square that is shown. */
    var crop = Crop()
        private set

    /** Called with each new square. */
    var onChange: (Crop) -> Unit = {}

    // A double tap and a drag would enlarge, and move the picture too.
    private val fingers = ScaleGestureDetector(context, Pinch()).apply { isQuickScaleEnabled = false }
    private val paint = Paint(Paint.FILTER_BITMAP_FLAG)
    private val shade = Paint().apply { color = Color.argb(SHADE, 0, 0, 0) }
    private val ring = Paint(Paint.ANTI_ALIAS_FLAG).apply { style = Paint.Style.STROKE }
    private var at: Pair<Float, Float>? = null

    // What is drawn, made once.
    private val from = Rect()
    private val window = RectF()
    private val around = Path().apply { fillType = Path.FillType.EVEN_ODD }

    init {
        isFocusable = true
    }

    fun show(picture: Bitmap, crop: Crop) {
        this.picture = picture
        this.crop = crop
        invalidate()
    }

    /** Shows what is in the window larger by this factor. */
    fun enlarge(factor: Double) = change { width, height -> crop.enlarged(factor, width, height) }

    private fun move(right: Double, down: Double) = change { width, height -> crop.moved(right, down, width, height) }

    private fun change(to: (Int, Int) -> Crop) {
        val picture = picture ?: return
        crop = to(picture.width, picture.height)
        onChange(crop)
        invalidate()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = getDefaultSize(suggestedMinimumWidth, widthSpec)
        // On a screen that is wider than tall, the buttons below stay within reach.
        val side = minOf(width, (resources.displayMetrics.heightPixels * TALLEST).roundToInt())
        setMeasuredDimension(side, side)
    }

    override fun onDraw(canvas: Canvas) {
        val picture = picture ?: return
        val part = crop.part(picture.width, picture.height)
        from.set(
            (part.left * picture.width).roundToInt(),
            (part.top * picture.height).roundToInt(),
            ((part.left + part.width) * picture.width).roundToInt(),
            ((part.top + part.height) * picture.height).roundToInt(),
        )
        window.set(0f, 0f, width.toFloat(), height.toFloat())
        canvas.drawBitmap(picture, from, window, paint)
        val radius = CIRCLE * width / 2
        around.rewind()
        around.addRect(window, Path.Direction.CW)
        around.addCircle(width / 2f, height / 2f, radius, Path.Direction.CW)
        canvas.drawPath(around, shade)
        // A white ring within a black one is seen on every skin.
        val pixel = resources.displayMetrics.density
        listOf(Color.BLACK to 5f, Color.WHITE to 2.5f).forEach { (color, thick) ->
            ring.color = color
            ring.strokeWidth = thick * pixel
            canvas.drawCircle(width / 2f, height / 2f, radius, ring)
        }
    }

    @SuppressLint("ClickableViewAccessibility") // A drag is no click; the buttons and the keys do the same.
    override fun onTouchEvent(event: MotionEvent): Boolean {
        parent.requestDisallowInterceptTouchEvent(true)
        fingers.onTouchEvent(event)
        val last = at
        at = if (event.pointerCount == 1 && event.actionMasked != MotionEvent.ACTION_UP) event.x to event.y else null
        if (last != null && event.actionMasked == MotionEvent.ACTION_MOVE && event.pointerCount == 1 && width > 0) {
            move((last.first - event.x) / width.toDouble(), (last.second - event.y) / height.toDouble())
        }
        return true
    }

    override fun onKeyDown(code: Int, event: KeyEvent): Boolean {
        val before = crop
        when (code) {
            KeyEvent.KEYCODE_DPAD_LEFT -> move(-STEP, 0.0)
            KeyEvent.KEYCODE_DPAD_RIGHT -> move(STEP, 0.0)
            KeyEvent.KEYCODE_DPAD_UP -> move(0.0, -STEP)
            KeyEvent.KEYCODE_DPAD_DOWN -> move(0.0, STEP)
            // Plus is Shift and the key of the equals sign on some keyboards.
            KeyEvent.KEYCODE_PLUS, KeyEvent.KEYCODE_EQUALS, KeyEvent.KEYCODE_NUMPAD_ADD -> enlarge(FACTOR)
            KeyEvent.KEYCODE_MINUS, KeyEvent.KEYCODE_NUMPAD_SUBTRACT -> enlarge(1 / FACTOR)
        }
        // At the edge of the picture, the focus moves on.
        return crop != before || super.onKeyDown(code, event)
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        moves.forEach { (id, way) -> info.addAction(AccessibilityAction(id, resources.getString(way.name))) }
    }

    override fun performAccessibilityAction(action: Int, arguments: Bundle?): Boolean {
        val way = moves[action] ?: return super.performAccessibilityAction(action, arguments)
        val before = crop
        move(way.right, way.down)
        return crop != before
    }

    private class Way(val name: Int, val right: Double, val down: Double)

    private inner class Pinch : ScaleGestureDetector.SimpleOnScaleGestureListener() {
        override fun onScale(detector: ScaleGestureDetector): Boolean {
            enlarge(detector.scaleFactor.toDouble())
            return true
        }
    }

    companion object {
        /** By how much a button or a key enlarges. */
        const val FACTOR = 1.25

        /** The circle's diameter over the window's side. */
        private const val CIRCLE = 0.4f
        private const val STEP = 0.05
        private const val SHADE = 90
        private const val TALLEST = 0.6

        /** What a screen reader offers for the window, by the action's id. */
        private val moves = mapOf(
            R.id.crop_left to Way(R.string.crop_left, -STEP, 0.0),
            R.id.crop_right to Way(R.string.crop_right, STEP, 0.0),
            R.id.crop_up to Way(R.string.crop_up, 0.0, -STEP),
            R.id.crop_down to Way(R.string.crop_down, 0.0, STEP),
        )
    }
}
