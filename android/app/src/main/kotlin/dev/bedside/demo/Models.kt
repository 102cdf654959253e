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

/** The models, each opened once, when it is first asked for, and kept as long as the process lives. */
class Models(private val assets: AssetManager, private val dispatcher: CoroutineDispatcher = Dispatchers.Default) {
    private val opening = Mutex()
    private val opened = HashMap<Task, Classifier>()

    /**
     * The task's model. The first time its golden sample is run, so that a phone on which that goes wrong shows no
     * result.
     *
     * @throws dev.bedside.BedsideException where it can't be opened, or its self-test fails
     */
    suspend fun open(task: Task): Classifier = opening.withLock {
        opened.getOrPut(task) {
            // Kept for the next one who asks, even where this one has gone.
            withContext(dispatcher + NonCancellable) { tested(Classifier.fromAsset(assets, task.model)) }
        }
    }

    private fun tested(classifier: Classifier): Classifier {
        if (classifier.selfTest() == null) classifier.warmUp()
        return classifier
    }
}

/** The process: all that it keeps are the models. */
class DemoApplication : Application() {
    val models: Models by lazy { Models(assets) }
}
