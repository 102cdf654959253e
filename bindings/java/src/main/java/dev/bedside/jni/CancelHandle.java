package dev.bedside.jni;

/**
 * Ends a classification from another thread: at its next stage (decode, preprocess, engine, verdict), or at the next
 * layer of a network that is quantized from end to end.
 */
public final class CancelHandle extends Handle {
    /** A handle that has not been used. */
    public CancelHandle() throws BedsideException {
        super(Reply.of(Native.newCancelHandle()).handle(), number -> Native.closeCancelHandle(number));
    }

    /** Ends every classification that has this handle, now or later: it fails with {@code CANCELLED}. */
    public void cancel() throws BedsideException {
        Reply.of(Native.cancel(number()), this);
    }

    /** Whether {@link #cancel} was called. */
    public boolean isCancelled() throws BedsideException {
        return Reply.of(Native.isCancelled(number()), this).flag();
    }
}
