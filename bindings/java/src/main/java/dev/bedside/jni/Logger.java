package dev.bedside.jni;

/** Receives the library's log. Pictures and results are never in it. */
public interface Logger {
    /**
     * Receives one record. May be called from any thread, and from several at once; an error that it throws is ignored.
     *
     * @param target the module that logs, such as {@code bedside::stages}
     */
    void log(LogLevel level, String target, String message);

    /**
     * Does the same as {@link #set(Logger, LogLevel)} with the level {@code WARN}.
     *
     * @param logger the logger, or null
     */
    static void set(Logger logger) throws BedsideException {
        set(logger, LogLevel.WARN);
    }

    /**
     * Sends the records of the library's log from this level up to {@code logger}, which replaces the previous one.
     * Without a logger the records are dropped, as before the first call. In a program in Rust with its own logger,
     * that logger keeps the log and its level, and this changes nothing.
     *
     * @param logger the logger, or null
     */
    static void set(Logger logger, LogLevel level) throws BedsideException {
        Reply.of(Native.setLogger(logger, level.ordinal()));
    }
}
