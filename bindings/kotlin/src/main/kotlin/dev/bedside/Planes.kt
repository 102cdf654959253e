// The buffers of one frame, checked, sliced and kept reachable, which the generated code leaves to its caller.

package dev.bedside

import java.nio.ByteBuffer

/** The bytes from each buffer's position to its limit at construction. The buffers stay unchanged. */
internal class Planes(first: ByteBuffer, second: ByteBuffer = none, third: ByteBuffer = none) {
    // The generated code reads `remaining` bytes from the base of a buffer and not from its position. A slice begins at
    // its base.
    private val first = sliced(first)
    private val second = sliced(second)
    private val third = sliced(third)

    fun classifiedBy(classifier: Classifier, format: FrameFormat, query: Query): Report =
        reachable { classifier.classifyPlanes(first, second, third, format, query) }

    fun copied(format: FrameFormat): Image = reachable { Image.fromPlanes(first, second, third, format) }

    /**
     * Runs a call that reads the planes, and keeps the buffers reachable until it returns. Otherwise the garbage
     * collector may free a buffer that is not used after the call has begun, and its memory with it. Java 8 and Android
     * before 9 have no `Reference.reachabilityFence`; a volatile write of a value that depends on the buffers does the
     * same.
     */
    private inline fun <T> reachable(call: () -> T): T =
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
