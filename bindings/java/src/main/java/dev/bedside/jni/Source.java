package dev.bedside.jni;

/** Where a picture came from: what a person can do about a bad one depends on it. */
public enum Source {
    /** A camera, just now: the picture can be taken again. */
    CAMERA,
    /** A file that was chosen or received. */
    FILE
}
