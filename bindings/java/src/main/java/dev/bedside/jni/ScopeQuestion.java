package dev.bedside.jni;

/** A question about the picture or the person, asked before a result is given. */
public final class ScopeQuestion {
    private final String id;
    private final String question;
    private final QuestionRole role;
    private final Triage level;
    private final boolean required;
    private final Double min;
    private final Double max;

    ScopeQuestion(Reply reply) {
        id = reply.string();
        question = reply.string();
        role = reply.named(QuestionRole.class);
        level = reply.optional(value -> value.named(Triage.class));
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

    /** What the answer decides. */
    public QuestionRole getRole() {
        return role;
    }

    /**
     * The triage that {@code yes} sets at least, {@code REFER} or {@code URGENT}; null unless the role is
     * {@code DANGER}.
     */
    public Triage getLevel() {
        return level;
    }

    /** Whether a picture is rejected where the question is not answered. Never with the role {@code DANGER}. */
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
