package dev.bedside.jni;

/**
 * What went wrong. The message names what was wrong, where, and what to do; it is written for a person.
 */
public final class BedsideException extends Exception {
    private static final long serialVersionUID = 1;

    private final ErrorKind kind;

    BedsideException(ErrorKind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** Which kind of error this is, the same in every language. */
    public ErrorKind getKind() {
        return kind;
    }
}
