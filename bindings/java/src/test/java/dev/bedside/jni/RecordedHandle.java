package dev.bedside.jni;

import java.util.List;

/** A handle that has no object in the library, and whose number is added to a list when it is closed. */
final class RecordedHandle extends Handle {
    RecordedHandle(long number, List<Long> closed) {
        super(number, closed::add);
    }
}
