package dev.bedside.jni;

/** Why there is no verdict. */
public enum ReasonKind {
    /** A required scope question was not answered. */
    SCOPE_UNANSWERED,
    /** A scope question was answered {@code no}. */
    SCOPE_NO,
    /** A number is outside the range that the model was made for. */
    SCOPE_OUT_OF_RANGE,
    /** The picture came from a source that the model was not made for. */
    SOURCE,
    /** The picture, or the region of it, has too few pixels. */
    TOO_SMALL,
    /** The picture is underexposed. */
    TOO_DARK,
    /** The picture is overexposed. */
    TOO_BRIGHT,
    /** The picture is pale, as behind a veil. */
    LOW_CONTRAST,
    /** The picture is blurred. */
    OUT_OF_FOCUS,
    /** The picture has no colour, and the model was made for colour. */
    COLORLESS,
    /** The picture has colour, and the model was made for grey. */
    COLORED,
    /** The picture is unlike those that the model was made for. */
    NOVEL
}
