package dev.bedside.jni;

/** The matrix by which red, green and blue became Y, U and V. */
public enum YuvMatrix {
    /** ITU-R BT.601: standard definition, JPEG, and the still frames of Android cameras. */
    BT601,
    /** ITU-R BT.709: high-definition video. */
    BT709
}
