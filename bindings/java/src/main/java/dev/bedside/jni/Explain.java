package dev.bedside.jni;

import java.util.Objects;

/** A heatmap to be computed with a classification: of which label, and how. */
public final class Explain {
    private final String label;
    private final ExplainMethod method;

    private Explain(String label, ExplainMethod method) {
        this.label = label;
        this.method = method;
    }

    /** A heatmap of the first label of the verdict, and where the verdict has none, of the most probable one. */
    public static Explain by(ExplainMethod method) {
        return new Explain(null, Objects.requireNonNull(method, "method"));
    }

    /** The same for the label that has this id. */
    public Explain label(String id) {
        return new Explain(Objects.requireNonNull(id, "id"), method);
    }

    void write(Request request) {
        request.flag(label != null);
        if (label != null) {
            request.string(label);
        }
        request.int8(method.ordinal());
    }
}
