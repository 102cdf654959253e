package dev.bedside.jni;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;

/**
 * An object of the library, which the library holds by number until {@code close} is called. An object that is not
 * closed is closed after it has been garbage-collected.
 *
 * <p>A number is never used for two objects. Using the number of a closed object is an error, not a crash.
 */
abstract class Handle implements AutoCloseable {
    private static final ReferenceQueue<Handle> COLLECTED = new ReferenceQueue<>();
    private static final Set<Owned> OPEN = Collections.synchronizedSet(new HashSet<>());

    static {
        Thread closing = new Thread(Handle::closeCollected, "bedside-closing");
        closing.setDaemon(true);
        // An inherited class loader could never be unloaded, because this thread does not end.
        closing.setContextClassLoader(null);
        closing.start();
    }

    private final long number;
    private final Owned owned;
    @SuppressWarnings("unused")
    private volatile boolean reached;

    /**
     * Takes ownership of a number.
     *
     * @param close closes the object of this number. It must be a lambda and not a reference to the native method:
     *     ProGuard does not see that such a reference needs access from another package, once it has moved this class
     *     to one
     */
    Handle(long number, LongConsumer close) {
        this.number = number;
        this.owned = new Owned(this, number, close);
        OPEN.add(owned);
    }

    /** The number by which the library holds this object. */
    final long number() {
        return number;
    }

    /**
     * Keeps this object from being collected before this call, because the virtual machine must not leave out a
     * volatile write.
     */
    final void keepReachable() {
        reached = true;
    }

    /** Frees what the library holds. Calls that are running end as usual. A second call does nothing. */
    @Override
    public final void close() {
        owned.close();
    }

    private static void closeCollected() {
        while (true) {
            try {
                ((Owned) COLLECTED.remove()).close();
            } catch (Throwable ignored) {
                // Nothing may end this thread. Where there was no memory for the library's reply, the object is closed
                // nevertheless.
            }
        }
    }

    /** The number of a handle and how to close it, which outlive the handle. */
    private static final class Owned extends PhantomReference<Handle> {
        private final long number;
        private final LongConsumer close;
        private final AtomicBoolean closed = new AtomicBoolean();

        Owned(Handle handle, long number, LongConsumer close) {
            super(handle, COLLECTED);
            this.number = number;
            this.close = close;
        }

        void close() {
            if (closed.compareAndSet(false, true)) {
                OPEN.remove(this);
                close.accept(number);
            }
        }
    }
}
