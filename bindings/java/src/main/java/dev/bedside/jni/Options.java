package dev.bedside.jni;

import java.util.Objects;

/** The settings of a classifier, which are fixed when its model is opened. */
public final class Options {
    static final Options DEFAULT = builder().build();

    private final int threads;
    private final Limits limits;

    private Options(Builder builder) {
        threads = builder.threads;
        limits = builder.limits;
    }

    /** A builder that has the default options. */
    public static Builder builder() {
        return new Builder();
    }

    Request write(Request request) {
        return limits.write(request.int32(threads));
    }

    /** Sets the options one by one. */
    public static final class Builder {
        private int threads = 1;
        private Limits limits = Limits.builder().build();

        private Builder() {}

        /**
         * The maximum number of threads of one classification, the caller's among them; 1 unless given. On a phone with
         * fast and slow cores, the number of fast cores is a good choice. All classifiers share the other threads,
         * which sleep between classifications. Results do not depend on the number. 0 counts as 1, and more than 256 as
         * 256.
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
