package dev.bedside.jni;

import java.util.Locale;

/** Who measured golden scores. */
public enum GoldenBy {
    /** The lab's own runtime. */
    LAB,
    /** Bedside itself, when the model was packed: this shows only that nothing changed since. */
    ITSELF;

    static GoldenBy named(String name) {
        // `self` is no name for a Java constant to have.
        return name.equals("self") ? ITSELF : valueOf(name.toUpperCase(Locale.ROOT));
    }
}
