package dev.bedside.demo

import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.print.PrintAttributes
import android.print.PrintManager
import android.widget.EditText
import java.io.FileOutputStream
import java.io.IOException

/** The screen of the note for the doctor, which can be printed or shared. */
class SlipScreen(activity: MainActivity) : Screen(activity, R.layout.slip) {
    private var slip: Slip? = null

    init {
        backArrow()
        onClick(R.id.print) { slip?.let(::print) }
        onClick(R.id.share) { slip?.let(::share) }
        find<EditText>(R.id.site).run {
            isSaveEnabled = false
            setText(session.capture.site)
            addTextChangedListener(OnText(::at))
        }
    }

    override fun draw() {
        val capture = session.capture
        val slip = activity.resources.slip(capture, session.manifest ?: return, session.outcome ?: return) ?: return
        this.slip = slip
        text(R.id.case_number, activity.getString(R.string.slip_case, slip.case))
        show(R.id.site_row, capture.task?.hasSite == true)
        find<SlipView>(R.id.page).show(slip)
    }

    /** Draws the page anew with the site on the body. */
    private fun at(site: String) {
        session.site(site)
        draw()
    }

    private fun print(slip: Slip) {
        val printer = activity.getSystemService(PrintManager::class.java)
        val paper = PrintAttributes.Builder().setMediaSize(PrintAttributes.MediaSize.ISO_A4).build()
        try {
            checkNotNull(printer).print(slip.case, SlipPrint(slip), paper)
        } catch (_: RuntimeException) {
            // A missing or broken print service throws undeclared exceptions.
            say()
        }
    }

    private fun share(slip: Slip) {
        val address = activity.files.slip(slip.case)
        val intent = Intent(Intent.ACTION_SEND)
            .setType("application/pdf")
            .putExtra(Intent.EXTRA_STREAM, address)
            .addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
        intent.clipData = ClipData.newRawUri(slip.case, address)
        try {
            FileOutputStream(activity.files.file(address)).use { writePdf(slip, it) }
            activity.startActivity(Intent.createChooser(intent, null))
        } catch (_: IOException) {
            say()
        } catch (_: ActivityNotFoundException) {
            say()
        }
    }

    private fun say() = text(R.id.message, activity.getString(R.string.slip_no_printer))
}
