package dev.bedside.demo

import android.os.Bundle
import android.os.CancellationSignal
import android.os.ParcelFileDescriptor
import android.print.PageRange
import android.print.PrintAttributes
import android.print.PrintDocumentAdapter
import android.print.PrintDocumentInfo
import java.io.FileOutputStream
import java.io.IOException

/** Prints the slip from the system's print sheet. */
class SlipPrint(private val slip: Slip) : PrintDocumentAdapter() {
    override fun onLayout(
        old: PrintAttributes?,
        new: PrintAttributes,
        cancel: CancellationSignal?,
        callback: LayoutResultCallback,
        extras: Bundle?,
    ) {
        val page = PrintDocumentInfo.Builder("${slip.case}.pdf")
            .setContentType(PrintDocumentInfo.CONTENT_TYPE_DOCUMENT)
            .setPageCount(1)
            .build()
        callback.onLayoutFinished(page, old != new)
    }

    override fun onWrite(
        pages: Array<PageRange>,
        destination: ParcelFileDescriptor,
        cancel: CancellationSignal?,
        callback: WriteResultCallback,
    ) {
        try {
            FileOutputStream(destination.fileDescriptor).use { writePdf(slip, it) }
            callback.onWriteFinished(arrayOf(PageRange.ALL_PAGES))
        } catch (_: IOException) {
            callback.onWriteFailed(null)
        }
    }
}
