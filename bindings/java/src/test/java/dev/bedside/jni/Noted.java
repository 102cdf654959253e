package dev.bedside.jni;

import java.util.List;

/** A handle of nothing, whose number is noted when it is let go of. */
final class Noted extends Handle {
    Noted(long number, List<Long> closed) {
        super(number, closed::add);
    }
}
