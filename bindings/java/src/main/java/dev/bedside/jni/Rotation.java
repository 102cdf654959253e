package dev.bedside.jni;

/** A turn that brings a picture upright. */
public enum Rotation {
    /** It is upright already. */
    UPRIGHT,
    /** A quarter turn clockwise. */
    CLOCKWISE90,
    /** Half a turn. */
    CLOCKWISE180,
    /** A quarter turn counter-clockwise. */
    CLOCKWISE270
}
