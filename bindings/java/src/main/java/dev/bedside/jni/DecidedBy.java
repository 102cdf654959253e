package dev.bedside.jni;

/** What decided the triage of a report. */
public enum DecidedBy {
    /** A danger sign, which asks for more than what the picture gives. */
    DANGER,
    /** The picture is out of scope by the answers. */
    SCOPE,
    /** The picture's quality is under the model's limits. */
    QUALITY,
    /** The picture's quality is under the model's limits, and so was that of an earlier picture of this case. */
    REPEATED_QUALITY,
    /** The picture's novelty is over one of the model's two levels. */
    NOVELTY,
    /** The highest level among the labels that can't be excluded. */
    LABEL,
    /**
     * The sum of all urgent labels' probabilities, which is at or over the action threshold. None of them is at or over
     * its own operating point.
     */
    ACTION,
    /** No label is at or over its operating point. */
    UNDECIDED,
    /** The calibration doesn't allow the model to say that there is no sign. */
    NO_SIGN_NOT_SHOWN,
    /** The model states no operating point. */
    UNCALIBRATED
}
