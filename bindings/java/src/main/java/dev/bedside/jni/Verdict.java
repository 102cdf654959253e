package dev.bedside.jni;

import java.util.List;

/** What can't be excluded. */
public final class Verdict {
    private final Kind kind;
    private final List<LabelName> labels;
    private final List<Reason> reasons;

    Verdict(Reply reply) {
        kind = reply.named(Kind.class);
        labels = reply.list(LabelName::new);
        reasons = reply.list(Reason::new);
    }

    /** The kind of the verdict. */
    public Kind getKind() {
        return kind;
    }

    /**
     * The labels that can't be excluded: the most pressing first, and of one level the likeliest. There is one where
     * the kind is {@code SINGLE}, there are several where it is {@code SEVERAL}, else the list is empty.
     */
    public List<LabelName> getLabels() {
        return labels;
    }

    /** Why there is no verdict; empty unless the kind is {@code REJECTED}. */
    public List<Reason> getReasons() {
        return reasons;
    }

    /** The kinds of verdict, the same in every language. */
    public enum Kind {
        /** One label can't be excluded. */
        SINGLE,
        /** These labels can't be excluded. */
        SEVERAL,
        /**
         * No label reached its operating point: the model can't tell what the picture shows. It does not exclude
         * disease.
         */
        UNDECIDED,
        /** There is no verdict: the reasons say what to do before the next try. */
        REJECTED
    }
}
