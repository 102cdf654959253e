package dev.bedside.jni;

import java.util.Locale;

/** The runtime that measured golden scores. */
public enum GoldenBy {
    /** The lab's own runtime. */
    LAB,
    /** Bedside itself, when the model was packed: this shows only that nothing changed since. */
    ITSELF;

    static GoldenBy named(String name) {
        // The shared name is `self`, and the constant's name is not.
        return name.equals("self") ? ITSELF : valueOf(name.toUpperCase(Locale.ROOT));
    }
}
