// Many threads use one classifier at once.

package dev.bedside

import java.util.concurrent.Callable
import java.util.concurrent.Executors
import kotlin.test.Test
import kotlin.test.assertEquals

class ThreadsTest {
    @Test
    fun classifier_gives_eight_threads_the_same_bits() {
        val (classifier, picture) = TinyModel.open() to TinyModel.picture()
        val wanted = classifier.classify(picture).bits
        assertEquals(List(8 * 50) { wanted }, onEightThreads(50) { classifier.classify(picture).bits })
    }

    @Test
    fun shipped_model_gives_eight_threads_the_same_bits() {
        val classifier = Classifier.open(Repository.model).apply { warmUp() }
        val image = Image.open(Repository.file(Repository.samples.first()).path)
        val query = Query(answers = mapOf("dermatoscope" to Answer.Yes, "mole_like" to Answer.Yes))
        val wanted = classifier.classify(image, query).bits
        assertEquals(List(8) { wanted }, onEightThreads(1) { classifier.classify(image, query).bits })
    }

    private fun <T> onEightThreads(times: Int, call: () -> T): List<T> {
        val threads = Executors.newFixedThreadPool(8)
        val tasks = List(8) { Callable { List(times) { call() } } }
        return threads.invokeAll(tasks).flatMap { it.get() }.also { threads.shutdown() }
    }
}
