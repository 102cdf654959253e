package dev.bedside.jni;

/** Why there is no verdict. */
public enum ReasonKind {
    /** A required scope question was not answered. */
    SCOPE_UNANSWERED,
    /** A scope question was answered {@code no}. */
    SCOPE_NO,
    /** A number is outside the range that the model was made for. */
    SCOPE_OUT_OF_RANGE
}
