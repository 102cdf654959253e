package dev.bedside.jni;

/** Which values stand for black, white and full colour. */
public enum YuvRange {
    /** Y in 16 to 235, U and V in 16 to 240, as video has it. */
    LIMITED,
    /** 0 to 255 for all, as JPEG has it. */
    FULL
}
