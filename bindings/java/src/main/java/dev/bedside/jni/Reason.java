package dev.bedside.jni;

/** Why there is no verdict, and what to do. */
public final class Reason {
    private final ReasonKind kind;
    private final String id;
    private final String question;
    private final String message;

    Reason(Reply reply) {
        kind = reply.named(ReasonKind.class);
        id = reply.optional(Reply::string);
        question = reply.optional(Reply::string);
        message = reply.string();
    }

    /** The kind, the same in every language. */
    public ReasonKind getKind() {
        return kind;
    }

    /** The scope question's id, or null where the reason is not about one. */
    public String getId() {
        return id;
    }

    /**
     * That question in the query's language, or its id where it has no text; null where the reason is not about one.
     */
    public String getQuestion() {
        return question;
    }

    /** What is wrong and what to do, in the query's language. */
    public String getMessage() {
        return message;
    }
}
