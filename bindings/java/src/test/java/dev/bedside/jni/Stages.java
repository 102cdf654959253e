package dev.bedside.jni;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;

/** A logger that acts when a stage of a classification ends. It runs on the thread that classifies. */
final class Stages implements Logger {
    static final List<String> ALL = List.of("decode", "preprocess", "engine", "verdict");

    private final List<String> ended = new CopyOnWriteArrayList<>();
    private final Consumer<String> act;

    private Stages(Consumer<String> act) {
        this.act = act;
    }

    /** A block of a test, which may throw. */
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

    /** Runs a block, calls {@code act} after each stage of its classifications, and returns the stages that ended. */
    static List<String> during(Consumer<String> act, Block block) throws Exception {
        Stages stages = new Stages(act);
        withLogger(stages, block);
        return List.copyOf(stages.ended);
    }

    /** Runs {@code act} on another thread when this stage ends, and waits for it. */
    static Consumer<String> onAnotherThreadAfter(String stage, Block act) {
        return ended -> {
            if (ended.equals(stage)) {
                onAnotherThread(act);
            }
        };
    }

    /** Runs a block with a logger at the level {@code TRACE}, and removes the logger after it. */
    static void withLogger(Logger logger, Block block) throws Exception {
        Logger.set(logger, LogLevel.TRACE);
        try {
            block.run();
        } finally {
            Logger.set(null);
        }
    }

    private static void onAnotherThread(Block act) {
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
