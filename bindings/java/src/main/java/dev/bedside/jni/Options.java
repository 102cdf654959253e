package dev.bedside.jni;

import java.util.Objects;

/** What is fixed when a model is opened. */
public final class Options {
    static final Options DEFAULT = builder().build();

    private final int threads;
    private final Limits limits;

    private Options(Builder builder) {
        threads = builder.threads;
        limits = builder.limits;
    }

    /** The default options, to be changed. */
    public static Builder builder() {
        return new Builder();
    }

    Request write(Request request) {
        return limits.write(request.integer(threads));
    }

    /** Sets options one by one. */
    public static final class Builder {
        private int threads = 1;
        private Limits limits = Limits.builder().build();

        private Builder() {}

        /**
         * How many threads one classification may use, the caller's among them; 1 unless given. Where a phone has cores of
         * several kinds, the number of fast ones is a good one. All classifiers share the other threads, which sleep between
         * classifications. Results do not depend on it. 0 is taken for 1, more than 256 for 256.
         */
        public Builder threads(int count) {
            threads = count;
            return this;
        }

        /** Bounds on pictures and models. */
        public Builder limits(Limits bounds) {
            limits = Objects.requireNonNull(bounds, "limits");
            return this;
        }

        /** The options. */
        public Options build() {
            return new Options(this);
        }
    }
}
