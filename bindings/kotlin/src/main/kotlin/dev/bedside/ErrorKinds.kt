// The kind of an error as a value, for callers that compare values instead of matching classes.

package dev.bedside

/** The kind of this error, the same in every language. Show the message to a person; decide by the kind. */
public val BedsideException.kind: ErrorKind
    get() = when (this) {
        is BedsideException.Io -> ErrorKind.IO
        is BedsideException.UnsupportedImage -> ErrorKind.UNSUPPORTED_IMAGE
        is BedsideException.MalformedImage -> ErrorKind.MALFORMED_IMAGE
        is BedsideException.TooLarge -> ErrorKind.TOO_LARGE
        is BedsideException.MalformedModel -> ErrorKind.MALFORMED_MODEL
        is BedsideException.UnsupportedModel -> ErrorKind.UNSUPPORTED_MODEL
        is BedsideException.InvalidManifest -> ErrorKind.INVALID_MANIFEST
        is BedsideException.InvalidQuery -> ErrorKind.INVALID_QUERY
        is BedsideException.Cancelled -> ErrorKind.CANCELLED
        is BedsideException.SelfTest -> ErrorKind.SELF_TEST
        is BedsideException.Internal -> ErrorKind.INTERNAL
    }
