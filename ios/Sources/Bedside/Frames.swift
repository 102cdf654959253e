// Classification of frames of pixels or YUV planes without a copy, and copies of frames as an `Image`.

import Foundation

extension Classifier {
    /// Classifies one frame of one plane, or one encoded file, without copying it.
    ///
    /// Runs on the caller's thread for tens to hundreds of milliseconds: do not call it on the main thread.
    /// `classifyFrameInBackground` does the same without blocking.
    ///
    /// - Parameters:
    ///   - pixels: The rows of the frame, top first. Contiguous `Data` is not copied. Foundation copies data in several
    ///     pieces, such as from `DispatchData`, once to join them.
    ///   - format: The layout of the bytes, and the rotation that brings the picture upright.
    ///   - query: The query. The default asks for all findings of the whole picture, in English.
    /// - Throws: `BedsideError`, as `classify` does: `MalformedImage` where the bytes do not fit the format, `TooLarge`
    ///   where they are more than the limits allow, or 2 GiB or more.
    public func classifyFrame(_ pixels: Data, format: FrameFormat, query: Query = Query()) throws -> Report {
        try classifyPlanes(first: plane(pixels), second: Data(), third: Data(), format: format, query: query)
    }

    /// Does the same with memory that the app manages. The bytes must not change or be freed before this returns.
    public func classifyFrame(
        _ pixels: UnsafeRawBufferPointer, format: FrameFormat, query: Query = Query()
    ) throws -> Report {
        try classifyFrame(Data(borrowing: pixels), format: format, query: query)
    }

    /// Classifies one YUV 4:2:0 frame without copying it. Where U and V are interleaved (NV12), give the same memory
    /// twice, with pixel strides of 2: `u` begins at the first sample of U, and `v` at the first sample of V.
    ///
    /// Runs on the caller's thread for tens to hundreds of milliseconds: do not call it on the main thread.
    /// `classifyYuv420InBackground` does the same without blocking.
    ///
    /// - Parameters:
    ///   - y: A sample of Y for every pixel. As with `classifyFrame`, contiguous data is not copied.
    ///   - u: A sample of U for every two by two pixels.
    ///   - v: A sample of V for every two by two pixels.
    ///   - format: The layout of the planes, which is a `yuv420`, and the rotation that brings the picture upright.
    ///   - query: The query. The default asks for all findings of the whole picture, in English.
    /// - Throws: `BedsideError`, as `classifyFrame` does; 2 GiB is the bound of each plane.
    public func classifyYuv420(
        y: Data, u: Data, v: Data, format: FrameFormat, query: Query = Query()
    ) throws -> Report {
        try classifyPlanes(first: plane(y), second: plane(u), third: plane(v), format: format, query: query)
    }

    /// Does the same with memory that the app manages. The bytes must not change or be freed before this returns.
    public func classifyYuv420(
        y: UnsafeRawBufferPointer, u: UnsafeRawBufferPointer, v: UnsafeRawBufferPointer,
        format: FrameFormat, query: Query = Query()
    ) throws -> Report {
        let (y, u, v) = (Data(borrowing: y), Data(borrowing: u), Data(borrowing: v))
        return try classifyYuv420(y: y, u: u, v: v, format: format, query: query)
    }
}

extension Image {
    /// Copies one frame of one plane, or one encoded file, so that it can be classified when its memory has changed.
    ///
    /// - Parameters:
    ///   - pixels: The rows of the frame, top first.
    ///   - format: The layout of the bytes, and the rotation that brings the picture upright.
    /// - Throws: `BedsideError`: `MalformedImage` where the bytes do not fit the format, `TooLarge` where the frame has
    ///   more than 256 MiB.
    public static func fromFrame(_ pixels: Data, format: FrameFormat) throws -> Image {
        try fromPlanes(first: plane(pixels), second: Data(), third: Data(), format: format)
    }

    /// Does the same with memory that the app manages. The bytes must not change or be freed before this returns.
    public static func fromFrame(_ pixels: UnsafeRawBufferPointer, format: FrameFormat) throws -> Image {
        try fromFrame(Data(borrowing: pixels), format: format)
    }

    /// Copies one YUV 4:2:0 frame, whose planes are given as `Classifier.classifyYuv420` takes them.
    ///
    /// - Throws: `BedsideError`: `MalformedImage` where the planes do not fit the format, `TooLarge` where they have
    ///   more than 256 MiB.
    public static func fromYuv420(y: Data, u: Data, v: Data, format: FrameFormat) throws -> Image {
        try fromPlanes(first: plane(y), second: plane(u), third: plane(v), format: format)
    }

    /// Does the same with memory that the app manages. The bytes must not change or be freed before this returns.
    public static func fromYuv420(
        y: UnsafeRawBufferPointer, u: UnsafeRawBufferPointer, v: UnsafeRawBufferPointer, format: FrameFormat
    ) throws -> Image {
        try fromYuv420(y: Data(borrowing: y), u: Data(borrowing: u), v: Data(borrowing: v), format: format)
    }
}

extension Data {
    /// Data over these bytes without a copy. The bytes must outlive it.
    init(borrowing bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress, !bytes.isEmpty else {
            self.init()
            return
        }
        self.init(bytesNoCopy: UnsafeMutableRawPointer(mutating: start), count: bytes.count, deallocator: .none)
    }
}

/// Refuses a plane of 2 GiB or more, because the generated code counts bytes in 32 bits and would end the app.
private func plane(_ bytes: Data) throws -> Data {
    guard bytes.count <= Int32.max else {
        throw BedsideError.TooLarge(
            message: "the frame has \(bytes.count) bytes; give a smaller one, of at most \(Int32.max)")
    }
    return bytes
}
