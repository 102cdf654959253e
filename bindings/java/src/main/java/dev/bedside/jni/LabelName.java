package dev.bedside.jni;

/** A label of the model, and its name. */
public final class LabelName {
    private final String id;
    private final String name;

    LabelName(Reply reply) {
        id = reply.string();
        name = reply.string();
    }

    /** The label's id. */
    public String getId() {
        return id;
    }

    /** Its name in the query's language. */
    public String getName() {
        return name;
    }
}
