package dev.bedside.jni;

/** A label of the model, its name, and its level. */
public final class LabelName {
    private final String id;
    private final String name;
    private final Triage level;

    LabelName(Reply reply) {
        id = reply.string();
        name = reply.string();
        level = reply.named(Triage.class);
    }

    /** The label's id. */
    public String getId() {
        return id;
    }

    /** Its name in the query's language. */
    public String getName() {
        return name;
    }

    /** What a person should do where the label can't be excluded. */
    public Triage getLevel() {
        return level;
    }
}
