// The buffers of one frame on their way across the border: what the generated code leaves to its caller.

package dev.bedside

import java.nio.ByteBuffer

/** The bytes from each buffer's position to its limit, as they stand now. The buffers themselves are left alone. */
internal class Planes(first: ByteBuffer, second: ByteBuffer = none, third: ByteBuffer = none) {
    // The generated code pairs a buffer's base, not its position, with what remains of it: a slice has both alike.
    private val first = sliced(first)
    private val second = sliced(second)
    private val third = sliced(third)

    fun classifiedBy(classifier: Classifier, format: FrameFormat, query: Query): Report =
        held { classifier.classifyPlanes(first, second, third, format, query) }

    fun copied(format: FrameFormat): Image = held { Image.fromPlanes(first, second, third, format) }

    /**
     * Runs a call that reads the planes. A direct buffer's memory goes with the buffer, and the garbage collector may
     * take one that is not used after the call has begun. `Reference.reachabilityFence` is not there before Java 9 and
     * Android 9; a volatile write of what can be known only from the buffers does the same.
     */
    private inline fun <T> held(call: () -> T): T =
        try {
            call()
        } finally {
            fence = first.remaining() + second.remaining() + third.remaining()
        }

    private companion object {
        val none: ByteBuffer = ByteBuffer.allocateDirect(0)

        @Volatile
        var fence = 0

        fun sliced(plane: ByteBuffer): ByteBuffer {
            require(plane.isDirect) { "a frame's buffer must be direct; make it with ByteBuffer.allocateDirect" }
            return plane.slice()
        }
    }
}
