package dev.bedside.jni;

import java.util.Objects;

/** Receives the library's log: what happened, never whose it was. Pictures and results are not in it. */
public interface Logger {
    /**
     * One record. May be called from any thread, and several at once; what it throws is lost.
     *
     * @param target the part of the library that speaks, such as {@code bedside::stages}
     */
    void log(LogLevel level, String target, String message);

    /** Sends the log from {@code WARN} up to {@code logger}, in the place of the one before. */
    static void set(Logger logger) throws BedsideException {
        set(logger, LogLevel.WARN);
    }

    /** Sends the log, from this level up, to {@code logger}, in the place of the one before. */
    static void set(Logger logger, LogLevel level) throws BedsideException {
        Reply.of(Native.setLogger(Objects.requireNonNull(logger, "logger"), level.ordinal()));
    }
}
