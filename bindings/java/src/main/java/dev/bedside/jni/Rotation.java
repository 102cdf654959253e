package dev.bedside.jni;

/** The rotation that brings a picture upright. */
public enum Rotation {
    /** None: the picture is upright already. */
    UPRIGHT,
    /** A quarter turn clockwise. */
    CLOCKWISE90,
    /** Half a turn. */
    CLOCKWISE180,
    /** A quarter turn counter-clockwise. */
    CLOCKWISE270
}
