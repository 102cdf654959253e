package dev.bedside.jni;

/** How much a record of the log matters. */
public enum LogLevel {
    /** Something failed. */
    ERROR,
    /** Something is amiss but not fatal, such as an unknown field in a manifest. */
    WARN,
    /** What happens now and then. */
    INFO,
    /** What happens once a model. */
    DEBUG,
    /** What happens once a stage of a picture. */
    TRACE
}
