package dev.bedside.jni;

/** What the answer to a question decides. */
public enum QuestionRole {
    /** Whether the model was made for the picture: {@code no}, or a number out of range, rejects it. */
    SCOPE,
    /** Whether there is a danger sign: {@code yes} sets the triage to at least the question's level. */
    DANGER
}
