// Runs test code while a classification is between two stages.

package dev.bedside

import java.util.concurrent.CopyOnWriteArrayList

/** A logger that acts when a stage of a classification ends. It runs on the thread that classifies. */
internal class Stages(private val act: (stage: String) -> Unit) : Logger {
    val ended = CopyOnWriteArrayList<String>()

    override fun log(level: LogLevel, target: String, message: String) {
        if (target != "bedside::stages") return
        val stage = message.substringBefore(' ')
        ended += stage
        act(stage)
    }

    companion object {
        /** Runs a block, calls `act` after each stage of its classifications, and returns the stages that ended. */
        inline fun during(noinline act: (stage: String) -> Unit, block: () -> Unit): List<String> {
            val stages = Stages(act)
            withLogger(stages, block)
            return stages.ended
        }
    }
}

/** Runs a block with a logger at the level TRACE, and removes the logger after it. */
internal inline fun withLogger(logger: Logger, block: () -> Unit) {
    setLogger(logger, LogLevel.TRACE)
    try {
        block()
    } finally {
        setLogger(null)
    }
}

/** Runs a block on another thread and waits for it. */
internal fun onAnotherThread(block: () -> Unit) {
    Thread(block).apply { start() }.join()
}
