package dev.bedside.demo

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException
import java.util.UUID

/**
 * The files of the capture, in the app's cache: the picture that the camera app writes, and the slip that another app
 * reads. Another app can open only a file whose address this app gave it.
 */
class CaptureFiles(context: Context) {
    private val folder = folder(context)
    private val authority = authority(context)

    /** The address of a new file for the camera app. */
    fun newPicture(): Uri = address("${UUID.randomUUID()}.jpg")

    fun slip(case: String): Uri = address("$case.pdf")

    /** The file of an address; null where the address is not one of this app's. */
    fun file(address: Uri): File? = if (address.authority == authority) folder.file(address) else null

    /** Deletes the files that this capture does not refer to. */
    fun keepOnly(capture: Capture) {
        val kept = listOfNotNull(capture.camera, capture.picture, capture.shared).map { Uri.parse(it).lastPathSegment }
        val slip = capture.case?.let { slip(it).lastPathSegment }
        folder.listFiles()?.filter { it.name !in kept && it.name != slip }?.forEach { it.delete() }
    }

    private fun address(name: String): Uri {
        folder.mkdirs()
        return Uri.Builder().scheme("content").authority(authority).appendPath(name).build()
    }
}

private fun folder(context: Context) = File(context.cacheDir, "capture")

private fun authority(context: Context) = "${context.packageName}.files"

/** The file of an address. Its name must be plain, so that an address can't lead out of the folder. */
private fun File.file(address: Uri): File? =
    address.lastPathSegment?.takeIf(Regex("[0-9A-Za-z-]+\\.(jpg|pdf)")::matches)?.let { File(this, it) }

/** Provides the files of the capture to apps that were given their addresses. */
class CaptureProvider : ContentProvider() {
    override fun onCreate(): Boolean = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        val file = found(uri) ?: throw FileNotFoundException("no file of this capture")
        return ParcelFileDescriptor.open(file, ParcelFileDescriptor.parseMode(mode))
    }

    override fun getType(uri: Uri): String? = when (found(uri)?.extension) {
        "pdf" -> "application/pdf"
        "jpg" -> "image/jpeg"
        else -> null
    }

    override fun query(uri: Uri, columns: Array<String>?, where: String?, with: Array<String>?, by: String?): Cursor? {
        val file = found(uri) ?: return null
        val known = mapOf(OpenableColumns.DISPLAY_NAME to file.name, OpenableColumns.SIZE to file.length())
        val asked = (columns ?: known.keys.toTypedArray()).filter { it in known }
        return MatrixCursor(asked.toTypedArray()).apply { addRow(asked.map { known[it] }) }
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = null

    override fun update(uri: Uri, values: ContentValues?, where: String?, with: Array<String>?): Int = 0

    override fun delete(uri: Uri, where: String?, with: Array<String>?): Int = 0

    private fun found(uri: Uri): File? = folder(checkNotNull(context)).file(uri)
}
