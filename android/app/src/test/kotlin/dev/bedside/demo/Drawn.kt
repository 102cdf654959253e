package dev.bedside.demo

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.Rect
import android.graphics.RectF
import android.graphics.pdf.PdfDocument
import java.io.OutputStream
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.util.ReflectionHelpers
import org.robolectric.util.ReflectionHelpers.ClassParameter

/**
 * Replaces Android's PdfDocument, which Robolectric does not have. It records the pages and writes their texts instead
 * of a PDF. That PdfDocument itself writes a valid file is not tested.
 */
@Implements(PdfDocument::class)
class PdfStandIn {
    private val pages = ArrayList<PdfDocument.Page>()
    private val finished = ArrayList<PdfDocument.Page>()

    @Implementation
    fun __constructor__() = Unit

    @Implementation
    fun startPage(size: PdfDocument.PageInfo): PdfDocument.Page = ReflectionHelpers.callConstructor(
        PdfDocument.Page::class.java,
        ClassParameter.from(Canvas::class.java, RecordingCanvas()),
        ClassParameter.from(PdfDocument.PageInfo::class.java, size),
    ).also { pages += it }

    @Implementation
    fun finishPage(page: PdfDocument.Page) {
        finished += page
    }

    @Implementation
    fun writeTo(out: OutputStream) {
        check(pages == finished) { "a page was not finished" }
        finished.forEach { page ->
            val canvas = page.canvas as RecordingCanvas
            val size = "${page.info.pageWidth}x${page.info.pageHeight}"
            out.write("$size ${canvas.pictures} ${canvas.text}\n".toByteArray())
        }
    }

    @Implementation
    fun close() = Unit
}

/** A text without spaces, because lines may break at them. */
fun withoutSpaces(text: String): String = text.filterNot(Char::isWhitespace)

/** A canvas that records what is drawn. */
class RecordingCanvas : Canvas(Bitmap.createBitmap(595, 842, Bitmap.Config.ARGB_8888)) {
    /** All texts in the order of drawing, without spaces. */
    var text = ""
    var pictures = 0
    var lowest = 0f
    private var offset = 0f

    override fun translate(dx: Float, dy: Float) {
        offset += dy
        super.translate(dx, dy)
    }

    override fun restore() {
        offset = 0f
        super.restore()
    }

    override fun drawText(text: String, x: Float, y: Float, paint: Paint) = record(text, y)

    override fun drawText(text: CharArray, index: Int, count: Int, x: Float, y: Float, paint: Paint) =
        record(String(text, index, count), y)

    override fun drawText(text: CharSequence, start: Int, end: Int, x: Float, y: Float, paint: Paint) =
        record(text.subSequence(start, end).toString(), y)

    override fun drawText(text: String, start: Int, end: Int, x: Float, y: Float, paint: Paint) =
        record(text.substring(start, end), y)

    override fun drawTextRun(
        text: CharSequence,
        start: Int,
        end: Int,
        contextStart: Int,
        contextEnd: Int,
        x: Float,
        y: Float,
        isRtl: Boolean,
        paint: Paint,
    ) = record(text.subSequence(start, end).toString(), y)

    override fun drawTextRun(
        text: CharArray,
        index: Int,
        count: Int,
        contextIndex: Int,
        contextCount: Int,
        x: Float,
        y: Float,
        isRtl: Boolean,
        paint: Paint,
    ) = record(String(text, index, count), y)

    override fun drawBitmap(
        bitmap: Bitmap,
        src: Rect?,
        dst: RectF,
        paint: Paint?,
    ) {
        pictures++
    }

    override fun drawLine(startX: Float, startY: Float, stopX: Float, stopY: Float, paint: Paint) {
        lowest = maxOf(lowest, startY)
    }

    private fun record(drawn: String, y: Float) {
        text += withoutSpaces(drawn)
        lowest = maxOf(lowest, offset + y)
    }
}
