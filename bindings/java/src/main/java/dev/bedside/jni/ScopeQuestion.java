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
        min = reply.optional(Reply::float64);
        max = reply.optional(Reply::float64);
    }

    /** The id under which a query answers the question. */
    public String getId() {
        return id;
    }

    /** The question, for a screen. */
    public String getQuestion() {
        return question;
    }

    /** Whether a picture is rejected where the question is not answered. */
    public boolean isRequired() {
        return required;
    }

    /**
     * The minimum number that is in scope, or null. With {@code min} or {@code max} the answer is a number, else yes or
     * no.
     */
    public Double getMin() {
        return min;
    }

    /** The maximum number that is in scope, or null. */
    public Double getMax() {
        return max;
    }
}
