package dev.bedside.jni;

/** The range of values between black and white, and of full colour. */
public enum YuvRange {
    /** Y from 16 to 235, U and V from 16 to 240, as in video. */
    LIMITED,
    /** 0 to 255 for all, as in JPEG. */
    FULL
}
