package dev.bedside.demo

import android.app.Application
import android.content.res.AssetManager
import dev.bedside.Classifier
import dev.bedside.fromAsset
import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/** The models. Each is opened when it is first needed, and kept until the process ends. */
class Models(private val assets: AssetManager, private val dispatcher: CoroutineDispatcher = Dispatchers.Default) {
    private val opening = Mutex()
    private val opened = HashMap<Task, Classifier>()

    /**
     * The task's model. The first call runs its self-test, so that a phone on which that fails shows no result.
     *
     * @throws dev.bedside.BedsideException where it can't be opened, or its self-test fails
     */
    suspend fun open(task: Task): Classifier = opening.withLock {
        opened.getOrPut(task) {
            // The model is kept for later calls, even where this call is cancelled.
            withContext(dispatcher + NonCancellable) { tested(Classifier.fromAsset(assets, task.model)) }
        }
    }

    private fun tested(classifier: Classifier): Classifier {
        if (classifier.selfTest() == null) classifier.warmUp()
        return classifier
    }
}

/** The application, which keeps the models. */
class DemoApplication : Application() {
    val models: Models by lazy { Models(assets) }
}
