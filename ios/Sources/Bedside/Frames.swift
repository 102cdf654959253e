// Frames: pixels and YUV planes that the app keeps, looked at without a copy, or copied into an `Image`.

import Foundation

extension Classifier {
    /// Looks at one frame of pixels, or at the bytes of an encoded file, without copying them.
    ///
    /// Runs on the caller's thread, for tens to hundreds of milliseconds: call it on the camera's queue, not on the
    /// main thread.
    ///
    /// - Parameters:
    ///   - pixels: The rows of the frame, top first. Contiguous `Data` is read where it lies; data in several pieces,
    ///     such as from `DispatchData`, is joined by Foundation first: one copy.
    ///   - format: How the bytes lie, sizes in pixels and strides in bytes, and the turn that brings the frame upright.
    ///   - query: What to ask. The default asks for everything, in English.
    /// - Throws: `BedsideError`: `MalformedImage` where the bytes do not fit the format, `TooLarge` where they are more
    ///   than the limits allow or than 2 GiB, `InvalidQuery`, `Cancelled`.
    public func classifyFrame(_ pixels: Data, format: FrameFormat, query: Query = Query()) throws -> Report {
        try classifyPlanes(first: plane(pixels), second: Data(), third: Data(), format: format, query: query)
    }

    /// The same for a frame in memory that the app manages. The bytes must not change or go before this returns.
    public func classifyFrame(
        _ pixels: UnsafeRawBufferPointer, format: FrameFormat, query: Query = Query()
    ) throws -> Report {
        try classifyFrame(Data(borrowing: pixels), format: format, query: query)
    }

    /// Looks at one YUV 4:2:0 frame without copying it. Where U and V alternate (NV12), give the same memory twice: as
    /// `u` from the first U on, as `v` from the first V on, with pixel strides of 2.
    ///
    /// Runs on the caller's thread, for tens to hundreds of milliseconds: call it on the camera's queue, not on the
    /// main thread.
    ///
    /// - Parameters:
    ///   - y: Y for every pixel. As with `classifyFrame`, contiguous data is not copied.
    ///   - u: U for every two by two pixels.
    ///   - v: V for every two by two pixels.
    ///   - format: Its layout is `yuv420`.
    ///   - query: What to ask. The default asks for everything, in English.
    /// - Throws: `BedsideError`, as `classifyFrame` does.
    public func classifyYuv420(
        y: Data, u: Data, v: Data, format: FrameFormat, query: Query = Query()
    ) throws -> Report {
        try classifyPlanes(first: plane(y), second: plane(u), third: plane(v), format: format, query: query)
    }

    /// The same for a frame in memory that the app manages. The bytes must not change or go before this returns.
    public func classifyYuv420(
        y: UnsafeRawBufferPointer, u: UnsafeRawBufferPointer, v: UnsafeRawBufferPointer,
        format: FrameFormat, query: Query = Query()
    ) throws -> Report {
        let (y, u, v) = (Data(borrowing: y), Data(borrowing: u), Data(borrowing: v))
        return try classifyYuv420(y: y, u: u, v: v, format: format, query: query)
    }
}

extension Image {
    /// Copies a frame of pixels, so that it may be looked at after the camera took its memory back.
    ///
    /// - Parameters:
    ///   - pixels: The rows of the frame, top first.
    ///   - format: How the bytes lie, and the turn that brings the frame upright.
    /// - Throws: `BedsideError`: `MalformedImage` where the bytes do not fit the format, `TooLarge` over 2 GiB.
    public static func fromFrame(_ pixels: Data, format: FrameFormat) throws -> Image {
        try fromPlanes(first: plane(pixels), second: Data(), third: Data(), format: format)
    }

    /// The same for a frame in memory that the app manages. The bytes must not change or go before this returns.
    public static func fromFrame(_ pixels: UnsafeRawBufferPointer, format: FrameFormat) throws -> Image {
        try fromFrame(Data(borrowing: pixels), format: format)
    }

    /// Copies a YUV 4:2:0 frame. The planes are those of `Classifier.classifyYuv420`.
    ///
    /// - Throws: `BedsideError`: `MalformedImage` where the bytes do not fit the format, `TooLarge` over 2 GiB.
    public static func fromYuv420(y: Data, u: Data, v: Data, format: FrameFormat) throws -> Image {
        try fromPlanes(first: plane(y), second: plane(u), third: plane(v), format: format)
    }

    /// The same for a frame in memory that the app manages. The bytes must not change or go before this returns.
    public static func fromYuv420(
        y: UnsafeRawBufferPointer, u: UnsafeRawBufferPointer, v: UnsafeRawBufferPointer, format: FrameFormat
    ) throws -> Image {
        try fromYuv420(y: Data(borrowing: y), u: Data(borrowing: u), v: Data(borrowing: v), format: format)
    }
}

extension Data {
    /// The bytes where they lie. They must outlive this.
    init(borrowing bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            self.init()
            return
        }
        self.init(bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
    }
}

/// A plane that fits the border: its generated code counts bytes in 32 bits, and would stop the app at more.
private func plane(_ bytes: Data) throws -> Data {
    guard bytes.count <= Int32.max else {
        throw BedsideError.TooLarge(
            message: "the frame has \(bytes.count) bytes; give a smaller one, of at most \(Int32.max)")
    }
    return bytes
}
