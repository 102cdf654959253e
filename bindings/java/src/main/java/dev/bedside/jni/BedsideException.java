package dev.bedside.jni;

/**
 * Why a call failed. The message is written for a person: it names what was wrong, where, and what to do.
 */
public final class BedsideException extends Exception {
    private static final long serialVersionUID = 1;

    private final ErrorKind kind;

    BedsideException(ErrorKind kind, String message) {
        super(message);
        this.kind = kind;
    }

    /** The kind of the error, the same in every language. */
    public ErrorKind getKind() {
        return kind;
    }
}
