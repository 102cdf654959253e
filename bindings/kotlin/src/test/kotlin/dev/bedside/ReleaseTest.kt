// Classes and a library that do not belong together are an error that says so, at the first call: in a virtual machine of its
// own, as classes are bound to a library for good.

package dev.bedside

import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files
import kotlin.test.Test
import kotlin.test.assertContains
import kotlin.test.assertEquals
import kotlin.test.assertNotEquals

class ReleaseTest {
    /** The classes of another release: these with another checksum of one function in them. */
    @Test
    fun classes_of_another_release_refuse_the_library() {
        val folder = Files.createTempDirectory("bedside").toFile()
        try {
            val name = "dev/bedside/BedsideKt.class"
            val code = checkNotNull(javaClass.classLoader.getResource(name)).readBytes()
            folder.resolve(name).apply { parentFile.mkdirs() }.writeBytes(withOtherChecksum(code))
            val (status, complaint) = quickstart(folder)
            assertNotEquals(0, status)
            assertContains(complaint, "UnsatisfiedLinkError")
            assertContains(complaint, "of two releases; use both of one release")
        } finally {
            folder.deleteRecursively()
        }
    }

    /** Any library stands for one that lacks a function: this one comes with the virtual machine. */
    @Test
    fun a_library_that_lacks_functions_is_refused() {
        val folder = Files.createTempDirectory("bedside").toFile()
        try {
            val other = File(System.getProperty("java.home"), "lib/${System.mapLibraryName("prefs")}")
            other.copyTo(folder.resolve(System.mapLibraryName("bedside")))
            val (status, complaint) = quickstart(folder.resolve("no classes"), folder.path)
            assertNotEquals(0, status)
            assertContains(complaint, "UnsatisfiedLinkError")
            assertContains(complaint, "of two releases; use both of one release")
            assertContains(complaint, "uniffi_bedside_")
        } finally {
            folder.deleteRecursively()
        }
    }

    /** The first checksum that stands once among the class's constants: those above 32767 do, as a tag and four bytes. */
    private fun withOtherChecksum(code: ByteArray): ByteArray {
        val source = Repository.file("bindings/kotlin/src/generated/kotlin/dev/bedside/bedside.kt").readText()
        val checksums = Regex("""and 0xFFFF\) != (\d+)""").findAll(source).map { it.groupValues[1].toInt() }
        val changed = ByteBuffer.wrap(code.clone())
        fun places(checksum: Int) = (1..code.size - 4).filter { code[it - 1] == 3.toByte() && changed.getInt(it) == checksum }
        val place = checksums.filter { it > 32767 }.map(::places).first { it.size == 1 }.single()
        changed.putInt(place, changed.getInt(place) xor 1)
        return changed.array()
    }

    /** How the quickstart ends, and its complaint, with these classes before all others. */
    private fun quickstart(classes: File, libraries: String = Repository.property("bedside.library.dir")): Pair<Int, String> {
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
