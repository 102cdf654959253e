package dev.bedside.jni;

/** The kind of an error, the same in every language. */
public enum ErrorKind {
    /** A file could not be read. */
    IO,
    /** The picture has a format, or a variant of a format, that is not supported. */
    UNSUPPORTED_IMAGE,
    /** The picture is damaged, or its pixels do not fit the size given. */
    MALFORMED_IMAGE,
    /** A picture or a model is larger than the limits allow. */
    TOO_LARGE,
    /** The model file is neither an ONNX model nor a prepared one, or it is damaged. */
    MALFORMED_MODEL,
    /** The model is sound but needs something that is not supported; the message names the operator, node or field. */
    UNSUPPORTED_MODEL,
    /** The manifest is missing, has a field of a wrong type or value, or does not fit the graph. */
    INVALID_MANIFEST,
    /** An option, a query field or an answer does not fit the model. */
    INVALID_QUERY,
    /** The query's cancel handle was cancelled. */
    CANCELLED,
    /**
     * The golden sample did not give the scores that the model's maker measured: the model must not be used on this
     * device.
     */
    SELF_TEST,
    /** A fault in Bedside or in a library that it uses. */
    INTERNAL
}
