package dev.bedside.jni;

/** What to know of a picture, whatever the verdict is. Only DICOM files say such things. */
public final class Warning {
    private final WarningKind kind;
    private final String message;

    Warning(Reply reply) {
        kind = reply.named(WarningKind.class);
        message = reply.string();
    }

    /** The kind, the same in every language. */
    public WarningKind getKind() {
        return kind;
    }

    /** What is there and what to do, in the query's language. */
    public String getMessage() {
        return message;
    }
}
