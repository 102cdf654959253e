// Classes and a library of two releases are an error at the first call, and its message says so. Each test starts a new
// virtual machine, because classes stay bound to a library.

package dev.bedside

import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals

class ReleaseTest {
    /** The classes of another release are this one's with another checksum of one function. */
    @Test
    fun library_of_another_release_is_refused() {
        val folder = Files.createTempDirectory("bedside").toFile()
        try {
            val name = "dev/bedside/BedsideKt.class"
            val code = checkNotNull(javaClass.classLoader.getResource(name)).readBytes()
            folder.resolve(name).apply { parentFile.mkdirs() }.writeBytes(withOtherChecksum(code))
            val (status, stderr) = quickstart(folder)
            assertNotEquals(0, status)
            assertContains(stderr, "UnsatisfiedLinkError")
            assertContains(stderr, "of two releases; use both of one release")
        } finally {
            folder.deleteRecursively()
        }
    }

    /** The library that lacks functions is one of the virtual machine's own. */
    @Test
    fun library_that_lacks_functions_is_refused() {
        val folder = Files.createTempDirectory("bedside").toFile()
        try {
            val other = File(System.getProperty("java.home"), "lib/${System.mapLibraryName("prefs")}")
            other.copyTo(folder.resolve(System.mapLibraryName("bedside")))
            val (status, stderr) = quickstart(folder.resolve("no classes"), folder.path)
            assertNotEquals(0, status)
            assertContains(stderr, "UnsatisfiedLinkError")
            assertContains(stderr, "of two releases; use both of one release")
            assertContains(stderr, "uniffi_bedside_")
        } finally {
            folder.deleteRecursively()
        }
    }

    /**
     * The class with another value for the first checksum that occurs once among its constants, as a tag and four
     * bytes.
     */
    private fun withOtherChecksum(code: ByteArray): ByteArray {
        val source = Repository.file("bindings/kotlin/src/generated/kotlin/dev/bedside/bedside.kt").readText()
        val checksums = Regex("""and 0xFFFF\) != (\d+)""").findAll(source).map { it.groupValues[1].toInt() }
        val changed = ByteBuffer.wrap(code.clone())
        fun offsets(checksum: Int) =
            (1..code.size - 4).filter { code[it - 1] == 3.toByte() && changed.getInt(it) == checksum }
        val offset = checksums.filter { it > 32767 }.map(::offsets).first { it.size == 1 }.single()
        changed.putInt(offset, changed.getInt(offset) xor 1)
        return changed.array()
    }

    /**
     * The exit status and the error output of the quickstart, with these classes before all others on the class path.
     */
    private fun quickstart(
        classes: File,
        libraries: String = Repository.property("bedside.library.dir"),
    ): Pair<Int, String> {
        val java = File(System.getProperty("java.home"), "bin/java").path
        val others = System.getProperty("surefire.test.class.path") ?: System.getProperty("java.class.path")
        val library = "-Djna.library.path=$libraries"
        val errors = Files.createTempFile("bedside", ".txt").toFile()
        val command = listOf(java, library, "-cp", classes.path + File.pathSeparator + others, "QuickstartKt")
        val process = ProcessBuilder(command).directory(Repository.root).redirectError(errors).start()
        assertEquals("", process.inputStream.readBytes().decodeToString())
        return process.waitFor() to errors.readText().also { errors.delete() }
    }
}
