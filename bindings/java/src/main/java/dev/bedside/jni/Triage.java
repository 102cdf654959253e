package dev.bedside.jni;

/** What a person should do. */
public enum Triage {
    /** No sign found by this program that asks for more than usual care. This does not exclude disease. */
    NO_SIGN,
    /** A clinician should look. */
    REFER,
    /** A clinician should look soon. */
    URGENT,
    /** Take the picture again, or mend what the reasons say. */
    UNASSESSED
}
