package dev.bedside.jni;

/** What a person should do, from the least to the most pressing level. */
public enum Triage {
    /** This program found no sign that needs more than usual care. This does not exclude disease. */
    NO_SIGN,
    /** Nothing was assessed: a person decides without this program. */
    UNASSESSED,
    /** A clinician should look. */
    REFER,
    /** A clinician should look soon. */
    URGENT
}
