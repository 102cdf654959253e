package dev.bedside.jni;

/** The severity of a log record. */
public enum LogLevel {
    /** Something failed. */
    ERROR,
    /** Something is amiss but not fatal, such as an unknown field in a manifest. */
    WARN,
    /** An event that happens now and then. */
    INFO,
    /** An event that happens once for each opened model. */
    DEBUG,
    /** An event that happens once for each stage of a classification. */
    TRACE
}
