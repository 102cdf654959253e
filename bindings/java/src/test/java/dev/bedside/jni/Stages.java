package dev.bedside.jni;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** Hears which stages of a classification end, and acts then: the log runs on the thread that classifies. */
final class Stages implements Logger {
    static final List<String> ALL = List.of("decode", "preprocess", "engine", "verdict");

    private final List<String> ended = new CopyOnWriteArrayList<>();
    private final Consumer<String> act;

    private Stages(Consumer<String> act) {
        this.act = act;
    }

    /** What a test does. */
    interface Block {
        void run() throws Exception;
    }

    @Override
    public void log(LogLevel level, String target, String message) {
        if (target.equals("bedside::stages")) {
            String stage = message.split(" ")[0];
            ended.add(stage);
            act.accept(stage);
        }
    }

    /** Runs a block during which {@code act} is called after each stage, and gives the stages that ended. */
    static List<String> during(Consumer<String> act, Block block) throws Exception {
        Stages stages = new Stages(act);
        hearing(stages, block);
        return List.copyOf(stages.ended);
    }

    /** Acts, on a thread of its own and to the end, when this stage ends. */
    static Consumer<String> elsewhereAfter(String stage, Block act) {
        return ended -> {
            if (ended.equals(stage)) {
                elsewhere(act);
            }
        };
    }

    /** Runs a block with a logger that hears all, and with none after it. */
    static void hearing(Logger logger, Block block) throws Exception {
        Logger.set(logger, LogLevel.TRACE);
        try {
            block.run();
        } finally {
            Logger.set(null);
        }
    }

    private static void elsewhere(Block act) {
        Thread thread = new Thread(() -> {
            try {
                act.run();
            } catch (Exception error) {
                throw new AssertionError(error);
            }
        });
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException error) {
            throw new AssertionError(error);
        }
    }
}
