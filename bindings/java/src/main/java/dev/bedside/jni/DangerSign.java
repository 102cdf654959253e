package dev.bedside.jni;

/** A danger question that was answered with yes. */
public final class DangerSign {
    private final String id;
    private final String question;
    private final Triage level;

    DangerSign(Reply reply) {
        id = reply.string();
        question = reply.string();
        level = reply.named(Triage.class);
    }

    /** The question's id. */
    public String getId() {
        return id;
    }

    /** The question in the query's language, or its id where it has no text. */
    public String getQuestion() {
        return question;
    }

    /** The triage that the sign sets at least. */
    public Triage getLevel() {
        return level;
    }
}
