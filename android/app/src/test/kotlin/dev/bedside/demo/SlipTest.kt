package dev.bedside.demo

import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.print.PageRange
import android.print.PrintAttributes
import android.print.PrintDocumentAdapter
import android.print.PrintDocumentInfo
import android.widget.EditText
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The referral slip. */
@RunWith(RobolectricTestRunner::class)
@Config(sdk = [35], qualifiers = "uk-w360dp-h740dp-xhdpi", shadows = [PdfStandIn::class])
@GraphicsMode(GraphicsMode.Mode.NATIVE)
class SlipTest {
    private val deck = Deck("uk")

    @Test
    fun slip_has_all_texts_of_the_result_and_no_probability() {
        val phone = phoneWithSlip("bleeds")
        phone.type(phone.view(R.id.site) as EditText, "ліва гомілка")
        val answers = arrayOf("dermatoscope=yes", "mole_like=yes", "bleeds=yes")
        val report = command(sample("ISIC_0012086.jpg"), "skin-lesion", "uk", *answers)
        val drawn = RecordingCanvas().also { SlipPage(slip(phone)).draw(it) }
        val asked = questions("skin-lesion", "scope").map { it.getJSONObject("question").getString("uk") }
        val expected = listOf(
            deck["slip.title"],
            deck["slip.case", checkNotNull(phone.capture.case)],
            deck["slip.time", ""],
            deck["slip.site", "ліва гомілка"],
            deck["slip.result"],
            deck["triage.urgent"],
            report.getString("advice"),
            report.getString("summary"),
            deck["slip.danger"],
            sign("skin-lesion", "bleeds"),
            deck["slip.how"],
            deck["slip.file"],
            deck["slip.answer", asked[0], deck["questions.yes"]],
            deck["slip.answer", asked[1], deck["questions.yes"]],
            deck["app.notice"],
            deck["slip.name"],
            deck["slip.from"],
            deck["slip.to"],
            deck["slip.remarks"],
        )
        expected.forEach { assertTrue("“$it” is not on the slip: ${drawn.text}", withoutSpaces(it) in drawn.text) }
        assertEquals(1, drawn.pictures)
        assertFalse(drawn.text, '%' in drawn.text)
    }

    @Test
    fun slip_without_danger_signs_says_that_none_was_stated() {
        val drawn = RecordingCanvas().also { SlipPage(slip(phoneWithSlip())).draw(it) }
        assertTrue(drawn.text, withoutSpaces(deck["slip.danger_none"]) in drawn.text)
        assertFalse(drawn.text, withoutSpaces(sign("skin-lesion", "bleeds")) in drawn.text)
    }

    @Test
    fun slip_of_a_danger_sign_without_a_picture_has_the_reasons() {
        val phone = Phone().apply {
            openResultWithoutPicture("nail")
            tap(R.id.slip)
        }
        val answers = arrayOf("dermatoscope=no", "mole_like=yes", "nail=yes")
        val report = command(sample("ISIC_0012086.jpg"), "skin-lesion", "uk", *answers)
        val drawn = RecordingCanvas().also { SlipPage(slip(phone)).draw(it) }
        val expected = report.messages() + listOf(sign("skin-lesion", "nail"), deck["slip.none"], deck["triage.urgent"])
        expected.forEach { assertTrue("“$it” is not on the slip: ${drawn.text}", withoutSpaces(it) in drawn.text) }
        assertEquals(0, drawn.pictures)
    }

    @Test
    fun slip_with_long_names_stays_on_the_page() {
        val long = List(30) { "An uncommonly long question about a danger sign, number $it, that fills its line" }
        val slip = slip(phoneWithSlip())
        val canvas = RecordingCanvas()
        SlipPage(
            Slip(
                slip.title, slip.case, slip.head, slip.picture, slip.resultTitle, slip.triage, slip.advice,
                slip.verdict, listOf("signs" to long), slip.model, slip.notice, slip.blanks, slip.remarks,
            ),
        ).draw(canvas)
        assertTrue("drawn down to ${canvas.lowest}", canvas.lowest in 400f..SlipPage.HEIGHT)
    }

    @Test
    fun slip_is_shared_as_a_pdf_of_one_page() {
        val phone = phoneWithSlip()
        phone.tap(R.id.share)
        val chooser = shadowOf(phone.activity).nextStartedActivity
        assertEquals(Intent.ACTION_CHOOSER, chooser.action)
        @Suppress("DEPRECATION")
        val sent = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!
        assertEquals("application/pdf", sent.type)
        assertTrue(sent.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION != 0)
        @Suppress("DEPRECATION")
        val address = sent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)!!
        val resolver = RuntimeEnvironment.getApplication().contentResolver
        assertEquals("application/pdf", resolver.getType(address))
        val descriptor = resolver.openFileDescriptor(address, "r")!!
        assertOnePage(ParcelFileDescriptor.AutoCloseInputStream(descriptor).use { it.readBytes() })
    }

    @Test
    fun slip_is_printed_as_a_pdf_of_one_page() {
        val file = File(RuntimeEnvironment.getApplication().cacheDir, "printed.pdf").apply { createNewFile() }
        val adapter = SlipPrint(slip(phoneWithSlip()))
        val laidOut = ArrayList<Int>()
        val a4 = PrintAttributes.Builder().setMediaSize(PrintAttributes.MediaSize.ISO_A4).build()
        val layout = object : PrintDocumentAdapter.LayoutResultCallback() {
            override fun onLayoutFinished(info: PrintDocumentInfo, changed: Boolean) {
                laidOut += info.pageCount
            }
        }
        adapter.onLayout(null, a4, null, layout, null)
        var written = 0
        val write = object : PrintDocumentAdapter.WriteResultCallback() {
            override fun onWriteFinished(pages: Array<PageRange>) {
                written = pages.size
            }
        }
        val destination = ParcelFileDescriptor.open(file, ParcelFileDescriptor.MODE_READ_WRITE)
        adapter.onWrite(arrayOf(PageRange.ALL_PAGES), destination, null, write)
        assertEquals(listOf(1), laidOut)
        assertEquals(1, written)
        assertOnePage(file.readBytes())
    }

    /** Asserts that the PDF has one page of A4 with one picture and the result. */
    private fun assertOnePage(pdf: ByteArray) {
        val page = String(pdf).trim().lines().single()
        assertTrue(page, page.startsWith("595x842 1 "))
        assertTrue(page, withoutSpaces(deck["triage.urgent"]) in page && withoutSpaces(deck["app.notice"]) in page)
    }

    private fun phoneWithSlip(vararg signs: String): Phone = Phone().apply {
        openSkinPicture(*signs.map { sign("skin-lesion", it) }.toTypedArray())
        classifyPicture(galleryAddress("ISIC_0012086.jpg"))
        tap(R.id.slip)
    }

    private fun slip(phone: Phone): Slip {
        val context: Context = phone.activity
        val session = phone.activity.session
        return context.resources.slip(session.capture, session.manifest!!, session.outcome!!)!!
    }
}
