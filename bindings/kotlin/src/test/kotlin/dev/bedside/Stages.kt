// Lets a test act while a classification is between two stages.

package dev.bedside

import java.util.concurrent.CopyOnWriteArrayList

/** Hears which stages end, and acts then; `log` runs on the thread that classifies. */
internal class Stages(private val act: (stage: String) -> Unit) : Logger {
    val ended = CopyOnWriteArrayList<String>()

    override fun log(level: LogLevel, target: String, message: String) {
        if (target != "bedside::stages") return
        val stage = message.substringBefore(' ')
        ended += stage
        act(stage)
    }

    companion object {
        /** Runs a block during which `act` is called after each stage, and gives the stages that ended. */
        inline fun during(noinline act: (stage: String) -> Unit, block: () -> Unit): List<String> {
            val stages = Stages(act)
            hearing(stages, block)
            return stages.ended
        }
    }
}

/** Runs a block with a logger that hears all, and with none after it. */
internal inline fun hearing(logger: Logger, block: () -> Unit) {
    setLogger(logger, LogLevel.TRACE)
    try {
        block()
    } finally {
        setLogger(null)
    }
}

/** Runs a block on a thread of its own, to its end. */
internal fun elsewhere(block: () -> Unit) {
    Thread(block).apply { start() }.join()
}
