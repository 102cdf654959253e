package dev.bedside.jni;

/** A question about the picture or the person, asked before a result is given. */
public final class ScopeQuestion {
    private final String id;
    private final String question;
    private final boolean required;
    private final Double min;
    private final Double max;

    ScopeQuestion(Reply reply) {
        id = reply.string();
        question = reply.string();
        required = reply.flag();
        min = reply.optional(Reply::longReal);
        max = reply.optional(Reply::longReal);
    }

    /** The name by which it is answered. */
    public String getId() {
        return id;
    }

    /** The question, for a screen. */
    public String getQuestion() {
        return question;
    }

    /** Whether leaving it open rejects. */
    public boolean isRequired() {
        return required;
    }

    /**
     * The least number that is in scope, or null. With {@code min} or {@code max} the answer is a number, else yes or
     * no.
     */
    public Double getMin() {
        return min;
    }

    /** The greatest number that is in scope, or null. */
    public Double getMax() {
        return max;
    }
}
