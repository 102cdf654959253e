package dev.bedside.jni;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongConsumer;

/**
 * Something that the library holds by number, until it is closed or, where that was forgotten, collected.
 *
 * <p>A number is never given twice, and one that was closed stands for nothing: using it is an error, not a crash.
 */
abstract class Handle implements AutoCloseable {
    private static final ReferenceQueue<Handle> COLLECTED = new ReferenceQueue<>();
    private static final Set<Owned> OPEN = Collections.synchronizedSet(new HashSet<>());

    static {
        Thread closing = new Thread(Handle::closeCollected, "bedside-closing");
        closing.setDaemon(true);
        // Else whoever made the first handle could not be unloaded.
        closing.setContextClassLoader(null);
        closing.start();
    }

    private final long number;
    private final Owned owned;
    @SuppressWarnings("unused")
    private volatile boolean reached;

    /**
     * Takes a number over.
     *
     * @param close lets go of it; a lambda and no reference to the native method, of which ProGuard does not see that
     *     another package will need it once it has moved this class there
     */
    Handle(long number, LongConsumer close) {
        this.number = number;
        this.owned = new Owned(this, number, close);
        OPEN.add(owned);
    }

    /** The number to call the library with. */
    final long number() {
        return number;
    }

    /** Keeps the object from being collected up to here: the virtual machine may not leave a volatile write out. */
    final void keepReachable() {
        reached = true;
    }

    /** Lets go of what the library holds. Calls that are running end as usual; closing twice does nothing. */
    @Override
    public final void close() {
        owned.close();
    }

    private static void closeCollected() {
        while (true) {
            try {
                ((Owned) COLLECTED.remove()).close();
            } catch (Throwable ignored) {
                // Nobody has a reason to end this thread; it is a daemon. Where there was no room for the library's
                // reply, it has let go all the same.
            }
        }
    }

    /** What outlives the object. */
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
