package dev.bedside.jni;

/** Bounds on what is read, checked before memory is asked for. */
public final class Limits {
    private final long maxDeclaredPixels;
    private final long maxDecodedBytes;
    private final long maxModelBytes;

    private Limits(Builder builder) {
        maxDeclaredPixels = builder.maxDeclaredPixels;
        maxDecodedBytes = builder.maxDecodedBytes;
        maxModelBytes = builder.maxModelBytes;
    }

    /** The default limits, to be changed. */
    public static Builder builder() {
        return new Builder();
    }

    Request write(Request request) {
        return request.longInteger(maxDeclaredPixels).longInteger(maxDecodedBytes).longInteger(maxModelBytes);
    }

    /** Sets limits one by one. */
    public static final class Builder {
        private long maxDeclaredPixels = 200_000_000;
        private long maxDecodedBytes = 256L << 20;
        private long maxModelBytes = 512L << 20;

        private Builder() {}

        /** The most pixels, width times height, that a picture's header may declare; 200,000,000 unless given. */
        public Builder maxDeclaredPixels(long pixels) {
            maxDeclaredPixels = pixels;
            return this;
        }

        /**
         * The most bytes that decoding may take for pixels and coefficients, beside the encoded bytes; 256 MiB unless
         * given.
         */
        public Builder maxDecodedBytes(long bytes) {
            maxDecodedBytes = bytes;
            return this;
        }

        /** The most bytes that a model file may have; 512 MiB unless given. */
        public Builder maxModelBytes(long bytes) {
            maxModelBytes = bytes;
            return this;
        }

        /** The limits. */
        public Limits build() {
            return new Limits(this);
        }
    }
}
