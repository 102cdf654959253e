package dev.bedside.jni;

/** Bounds on pictures and models, which are checked before memory is allocated. */
public final class Limits {
    private final long maxDeclaredPixels;
    private final long maxDecodedBytes;
    private final long maxModelBytes;

    private Limits(Builder builder) {
        maxDeclaredPixels = builder.maxDeclaredPixels;
        maxDecodedBytes = builder.maxDecodedBytes;
        maxModelBytes = builder.maxModelBytes;
    }

    /** A builder that has the default limits. */
    public static Builder builder() {
        return new Builder();
    }

    Request write(Request request) {
        return request.int64(maxDeclaredPixels).int64(maxDecodedBytes).int64(maxModelBytes);
    }

    /** Sets the limits one by one. */
    public static final class Builder {
        private long maxDeclaredPixels = 200_000_000;
        private long maxDecodedBytes = 256L << 20;
        private long maxModelBytes = 512L << 20;

        private Builder() {}

        /**
         * The maximum number of pixels, width times height, that a picture's header may declare: 200,000,000 unless
         * given.
         */
        public Builder maxDeclaredPixels(long pixels) {
            maxDeclaredPixels = pixels;
            return this;
        }

        /**
         * The maximum number of bytes that decoding may take for pixels and coefficients, besides the encoded bytes:
         * 256 MiB unless given.
         */
        public Builder maxDecodedBytes(long bytes) {
            maxDecodedBytes = bytes;
            return this;
        }

        /** The maximum number of bytes of a model file: 512 MiB unless given. */
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
