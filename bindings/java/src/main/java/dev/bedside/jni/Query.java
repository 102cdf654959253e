package dev.bedside.jni;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The query of one classification. The default asks for all findings of the whole picture, in English.
 *
 * <p>{@code maxResults}, {@code scoreThreshold}, {@code allow}, {@code deny} and {@code prevalence} change the findings
 * only: the verdict and the triage always come from all labels, not re-weighted.
 */
public final class Query {
    static final Query DEFAULT = builder().build();

    private final byte[] withoutCancel;
    private final CancelHandle cancel;

    private Query(Builder builder) {
        withoutCancel = builder.write().toBytes();
        cancel = builder.cancel;
    }

    /** A builder that has the default query. */
    public static Builder builder() {
        return new Builder();
    }

    /** The cancel handle, which must not be collected during a call; null where there is none. */
    CancelHandle cancel() {
        return cancel;
    }

    /** The query as the library reads it. */
    byte[] toBytes() {
        Request request = new Request().bytes(withoutCancel).flag(cancel != null);
        return cancel == null ? request.toBytes() : request.int64(cancel.number()).toBytes();
    }

    /** Sets the fields of a query one by one. */
    public static final class Builder {
        private Integer maxResults;
        private float scoreThreshold;
        private List<String> allow = new ArrayList<>();
        private List<String> deny = new ArrayList<>();
        private String language = "en";
        private Region region;
        private Map<String, Float> prevalence = new LinkedHashMap<>();
        private final Map<String, Answer> answers = new LinkedHashMap<>();
        private Source source;
        private int refusals;
        private Explain explain;
        private CancelHandle cancel;

        private Builder() {}

        /** The maximum number of findings; all unless given. */
        public Builder maxResults(int count) {
            maxResults = count;
            return this;
        }

        /** The minimum probability of a finding, 0 to 1; 0 unless given. */
        public Builder scoreThreshold(float probability) {
            scoreThreshold = probability;
            return this;
        }

        /** The labels that findings may have, by id; all where empty. */
        public Builder allow(List<String> labels) {
            allow = new ArrayList<>(labels);
            return this;
        }

        /** The labels that findings may not have, by id. */
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

        /** The part of the upright picture that is classified, or null for all of it; all of it unless given. */
        public Builder region(Region rectangle) {
            region = rectangle;
            return this;
        }

        /**
         * How common each label is where the picture was taken: the share of every label, by id, summing to 1. The
         * probabilities of the findings are re-weighted to it; where it is empty, they are not.
         */
        public Builder prevalence(Map<String, Float> shares) {
            prevalence = new LinkedHashMap<>(shares);
            return this;
        }

        /** An answer to the question about scope or a danger sign that has this id. */
        public Builder answer(String id, Answer answer) {
            answers.put(Objects.requireNonNull(id, "id"), Objects.requireNonNull(answer, "answer"));
            return this;
        }

        /**
         * Where the picture came from, or null where that is unknown; unknown unless given. Only a picture of a camera
         * is asked for again where its quality is too poor.
         */
        public Builder source(Source source) {
            this.source = source;
            return this;
        }

        /**
         * How many pictures of this case were rejected for their quality before; 0 unless given. From 1 on, a picture
         * of poor quality is not asked for again, and its triage is {@code REFER}. Whoever asks counts.
         */
        public Builder refusals(int count) {
            refusals = count;
            return this;
        }

        /** The heatmap to compute with the classification, or null for none; none unless given. */
        public Builder explain(Explain heatmap) {
            explain = heatmap;
            return this;
        }

        /** A handle by which another thread can end the classification, or null for none. */
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
                request.int32(maxResults);
            }
            request.float32(scoreThreshold).strings(allow).strings(deny).string(language).flag(region != null);
            if (region != null) {
                region.write(request);
            }
            request.int32(prevalence.size());
            prevalence.forEach((label, share) -> request.string(label).float32(share));
            request.int32(answers.size());
            answers.forEach((id, answer) -> answer.write(request.string(id)));
            request.flag(source != null);
            if (source != null) {
                request.int8(source.ordinal());
            }
            request.int32(refusals).flag(explain != null);
            if (explain != null) {
                explain.write(request);
            }
            return request;
        }
    }
}
