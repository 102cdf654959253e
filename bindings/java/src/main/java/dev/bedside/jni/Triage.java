package dev.bedside.jni;

/** What a person should do. */
public enum Triage {
    /** This program found no sign that needs more than usual care. This does not exclude disease. */
    NO_SIGN,
    /** A clinician should look. */
    REFER,
    /** A clinician should look soon. */
    URGENT,
    /** Nothing was assessed: do what the reasons say, then classify again. */
    UNASSESSED
}
