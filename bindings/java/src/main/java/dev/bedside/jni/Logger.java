package dev.bedside.jni;

/** Receives the library's log: what happened, never whose it was. Pictures and results are not in it. */
public interface Logger {
    /**
     * One record. May be called from any thread, and several at once; what it throws is lost.
     *
     * @param target the part of the library that speaks, such as {@code bedside::stages}
     */
    void log(LogLevel level, String target, String message);

    /**
     * Sends the log from {@code WARN} up to {@code logger}, in the place of the one before; nowhere where it is null,
     * as before the first. In a program that is itself in Rust and has a logger of its own, that one keeps the log and
     * its level, and this changes nothing.
     */
    static void set(Logger logger) throws BedsideException {
        set(logger, LogLevel.WARN);
    }

    /** As {@link #set(Logger)}, from this level up. */
    static void set(Logger logger, LogLevel level) throws BedsideException {
        Reply.of(Native.setLogger(logger, level.ordinal()));
    }
}
