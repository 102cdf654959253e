package dev.bedside.jni;

/** What a warning is about. */
public enum WarningKind {
    /** What tells who the person is may be burned into the pixels. */
    BURNED_IN,
    /** The file has overlays, which were not drawn over the pixels. */
    OVERLAY,
    /** The file states more than one region of tissue, as of a split screen, and one was looked at. */
    OTHER_REGION
}
