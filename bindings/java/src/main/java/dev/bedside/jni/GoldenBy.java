package dev.bedside.jni;

/** Who measured golden scores. */
public enum GoldenBy {
    /** The lab's own runtime. */
    LAB,
    /** Bedside itself, when the model was packed: this shows only that nothing changed since. */
    ITSELF;

    static GoldenBy named(String name) {
        return name.equals("lab") ? LAB : ITSELF;
    }
}
