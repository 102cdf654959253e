package dev.bedside.demo

import android.content.Context
import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.graphics.Paint
import android.graphics.RectF
import android.graphics.Typeface
import android.graphics.pdf.PdfDocument
import android.text.StaticLayout
import android.text.TextPaint
import android.util.AttributeSet
import android.view.View
import java.io.OutputStream
import kotlin.math.max

/** A slip on one page of A4, black on white. Lengths are in points (1/72 inch). */
class SlipPage(private val slip: Slip) {
    fun draw(canvas: Canvas) {
        canvas.drawColor(Color.WHITE)
        // Long names make the type smaller, so that the slip stays on one page.
        val scale = SCALES.firstOrNull { paint(null, it) <= HEIGHT - MARGIN } ?: SCALES.last()
        paint(canvas, scale)
    }

    /** Draws the slip, or only measures it where there is no canvas. Returns the y of its end. */
    private fun paint(canvas: Canvas?, scale: Float): Float {
        val pen = Pen(canvas, MARGIN, WIDTH - 2 * MARGIN, MARGIN, scale)
        pen.text(slip.title, 22f, bold = true)
        slip.head.forEach { pen.text(it, 14f) }
        pen.rule()
        result(pen)
        pen.gap(8f)
        slip.sections.forEach { (title, lines) -> section(pen, title, lines) }
        slip.model?.let { pen.text(it, 9f) }
        pen.gap(6f)
        pen.text(slip.notice, 11f, bold = true)
        pen.rule()
        slip.blanks.forEach { pen.blank(it, lines = 1) }
        pen.blank(slip.remarks, lines = 3)
        return pen.y
    }

    /** Draws the picture on the left and the result beside it. */
    private fun result(pen: Pen) {
        val picture = slip.picture
        val used = if (picture == null) 0f else pen.picture(picture, SIDE) + 16f
        val beside = pen.beside(used)
        beside.text(slip.resultTitle, 11f)
        beside.text(slip.triage, 20f, bold = true)
        beside.text(slip.advice, 12f)
        beside.gap(6f)
        beside.text(slip.verdict.first(), 14f, bold = true)
        slip.verdict.drop(1).forEach { beside.text(it, 12f) }
        pen.y = max(beside.y, if (picture == null) 0f else pen.y + SIDE)
    }

    private fun section(pen: Pen, title: String, lines: List<String>) {
        pen.text(title, 12f, bold = true)
        lines.forEach { pen.text(it, 12f) }
        pen.gap(6f)
    }

    companion object {
        const val WIDTH = 595f
        const val HEIGHT = 842f
        private const val MARGIN = 42f
        private const val SIDE = 190f
        private val SCALES = listOf(1f, 0.9f, 0.8f, 0.7f, 0.6f, 0.5f)
    }
}

/** Draws from the top down in a column of a page. */
private class Pen(
    private val canvas: Canvas?,
    private val left: Float,
    private val width: Float,
    var y: Float,
    private val scale: Float,
) {
    private val line = Paint().apply { strokeWidth = 0.7f }

    fun text(text: String, size: Float, bold: Boolean = false) {
        val paint = TextPaint(Paint.ANTI_ALIAS_FLAG)
        paint.color = Color.BLACK
        paint.textSize = size * scale
        paint.typeface = if (bold) Typeface.DEFAULT_BOLD else Typeface.DEFAULT
        val layout = StaticLayout.Builder.obtain(text, 0, text.length, paint, width.toInt()).build()
        canvas?.run {
            save()
            translate(left, y)
            layout.draw(this)
            restore()
        }
        y += layout.height + 3f
    }

    fun gap(height: Float) {
        y += height * scale
    }

    fun rule() {
        gap(5f)
        canvas?.drawLine(left, y, left + width, y, line)
        gap(9f)
    }

    /** Draws a label with lines to write on. */
    fun blank(label: String, lines: Int) {
        text(label, 11f)
        repeat(lines) {
            gap(20f)
            canvas?.drawLine(left, y, left + width, y, line)
        }
        gap(8f)
    }

    /** Draws a picture inside a square at the left. Returns its width. */
    fun picture(bitmap: Bitmap, side: Float): Float {
        val fit = side / max(bitmap.width, bitmap.height)
        val place = RectF(left, y, left + bitmap.width * fit, y + bitmap.height * fit)
        canvas?.drawBitmap(bitmap, null, place, Paint(Paint.FILTER_BITMAP_FLAG))
        return place.width()
    }

    /** The column to the right of this width. */
    fun beside(used: Float) = Pen(canvas, left + used, width - used, y, scale)
}

/** Writes the slip as a PDF of one page. */
fun writePdf(slip: Slip, out: OutputStream) {
    val document = PdfDocument()
    try {
        val size = PdfDocument.PageInfo.Builder(SlipPage.WIDTH.toInt(), SlipPage.HEIGHT.toInt(), 1).create()
        val page = document.startPage(size)
        SlipPage(slip).draw(page.canvas)
        document.finishPage(page)
        document.writeTo(out)
    } finally {
        document.close()
    }
}

/** A view of the page as it is printed, as wide as the screen. */
class SlipView(context: Context, attributes: AttributeSet?) : View(context, attributes) {
    private var page: SlipPage? = null

    fun show(slip: Slip) {
        page = SlipPage(slip)
        invalidate()
    }

    override fun onMeasure(widthSpec: Int, heightSpec: Int) {
        val width = getDefaultSize(suggestedMinimumWidth, widthSpec)
        setMeasuredDimension(width, (width * SlipPage.HEIGHT / SlipPage.WIDTH).toInt())
    }

    override fun onDraw(canvas: Canvas) {
        val scale = width / SlipPage.WIDTH
        canvas.save()
        canvas.scale(scale, scale)
        page?.draw(canvas)
        canvas.restore()
    }
}
