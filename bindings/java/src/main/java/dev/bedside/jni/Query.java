package dev.bedside.jni;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What is asked of one classification. The default asks for everything, in English.
 *
 * <p>{@code maxResults}, {@code scoreThreshold}, {@code allow}, {@code deny} and {@code prevalence} change the findings
 * only: verdict and triage always come from all labels, unweighted.
 */
public final class Query {
    static final Query DEFAULT = builder().build();

    private final byte[] withoutCancel;
    private final CancelHandle cancel;

    private Query(Builder builder) {
        withoutCancel = builder.write().toBytes();
        cancel = builder.cancel;
    }

    /** The default query, to be changed. */
    public static Builder builder() {
        return new Builder();
    }

    /** What must not be collected while this is used; null where there is none. */
    CancelHandle cancel() {
        return cancel;
    }

    /** As the library takes it. */
    byte[] toBytes() {
        Request request = new Request().bytes(withoutCancel).flag(cancel != null);
        return cancel == null ? request.toBytes() : request.longInteger(cancel.number()).toBytes();
    }

    /** Sets the parts of a query one by one. */
    public static final class Builder {
        private Integer maxResults;
        private float scoreThreshold;
        private List<String> allow = new ArrayList<>();
        private List<String> deny = new ArrayList<>();
        private String language = "en";
        private Region region;
        private Map<String, Float> prevalence = new LinkedHashMap<>();
        private final Map<String, Answer> answers = new LinkedHashMap<>();
        private CancelHandle cancel;

        private Builder() {}

        /** At most this many findings; all unless given. */
        public Builder maxResults(int most) {
            maxResults = most;
            return this;
        }

        /** Findings of at least this probability, 0 to 1. */
        public Builder scoreThreshold(float least) {
            scoreThreshold = least;
            return this;
        }

        /** Findings of these labels only, by id; of all where empty. */
        public Builder allow(List<String> labels) {
            allow = new ArrayList<>(labels);
            return this;
        }

        /** No findings of these labels, by id. */
        public Builder deny(List<String> labels) {
            deny = new ArrayList<>(labels);
            return this;
        }

        /**
         * The language of the report's sentences, names and questions, a BCP 47 tag; {@code en} unless given. Sentences
         * are in English where it is neither English nor Ukrainian; names and questions are in the languages that the
         * manifest has.
         */
        public Builder language(String tag) {
            language = Objects.requireNonNull(tag, "language");
            return this;
        }

        /** The part of the upright picture to look at, or null for all of it; all unless given. */
        public Builder region(Region part) {
            region = part;
            return this;
        }

        /**
         * The share of each label where the picture was taken, by id: all labels, summing to 1. The findings'
         * probabilities are re-weighted to it. Left as they are where empty.
         */
        public Builder prevalence(Map<String, Float> shares) {
            prevalence = new LinkedHashMap<>(shares);
            return this;
        }

        /** An answer to the scope question of this id. */
        public Builder answer(String id, Answer answer) {
            answers.put(Objects.requireNonNull(id, "id"), Objects.requireNonNull(answer, "answer"));
            return this;
        }

        /** A handle by which another thread can end the classification, or null. */
        public Builder cancel(CancelHandle handle) {
            cancel = handle;
            return this;
        }

        /** The query. */
        public Query build() {
            return new Query(this);
        }

        private Request write() {
            Request request = new Request().flag(maxResults != null);
            if (maxResults != null) {
                request.integer(maxResults);
            }
            request.real(scoreThreshold).strings(allow).strings(deny).string(language).flag(region != null);
            if (region != null) {
                region.write(request);
            }
            request.integer(prevalence.size());
            prevalence.forEach((label, share) -> request.string(label).real(share));
            request.integer(answers.size());
            answers.forEach((id, answer) -> answer.write(request.string(id)));
            return request;
        }
    }
}
