// Camera frames of AVFoundation, classified without a copy.

#if canImport(CoreVideo)
import CoreVideo
import Foundation

extension Classifier {
    /// Classifies one camera frame without copying it. Its base address is locked for reading until this returns.
    ///
    /// Runs on the caller's thread for tens to hundreds of milliseconds: call it on the queue of the camera's delegate,
    /// and leave `alwaysDiscardsLateVideoFrames` on, so that frames do not wait.
    ///
    /// The pixel format is `kCVPixelFormatType_32BGRA`, `kCVPixelFormatType_420YpCbCr8BiPlanarFullRange` or
    /// `kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange`. BGRA is read as not premultiplied, and composited over white.
    /// The matrix of the others is the one that the frame's attachment `kCVImageBufferYCbCrMatrixKey` names, or ITU-R
    /// BT.601 where it has none.
    ///
    /// - Parameters:
    ///   - pixelBuffer: The frame.
    ///   - rotation: The rotation that brings the picture upright.
    ///   - mirrored: Whether left and right are exchanged after the rotation, as front cameras exchange them.
    ///   - query: The query. The default asks for all findings of the whole picture, in English.
    /// - Throws: `BedsideError`: `UnsupportedImage` for another pixel format or matrix, `MalformedImage` where the
    ///   frame can't be locked; else as `classifyFrame` does.
    public func classify(
        pixelBuffer: CVPixelBuffer, rotation: Rotation = .upright, mirrored: Bool = false, query: Query = Query()
    ) throws -> Report {
        guard CVPixelBufferLockBaseAddress(pixelBuffer, .readOnly) == kCVReturnSuccess else {
            throw BedsideError.MalformedImage(
                message: "the pixel buffer can't be locked for reading; give another frame")
        }
        defer { CVPixelBufferUnlockBaseAddress(pixelBuffer, .readOnly) }
        let frame = try LockedFrame(pixelBuffer)
        let format = FrameFormat(layout: frame.layout, rotation: rotation, mirrored: mirrored)
        switch frame.planes {
        case .pixels(let pixels):
            return try classifyFrame(pixels, format: format, query: query)
        case .yuv420(let y, let u, let v):
            return try classifyYuv420(y: y, u: u, v: v, format: format, query: query)
        }
    }
}

/// The layout and the bytes of a locked pixel buffer.
private struct LockedFrame {
    enum Planes {
        case pixels(UnsafeRawBufferPointer)
        case yuv420(y: UnsafeRawBufferPointer, u: UnsafeRawBufferPointer, v: UnsafeRawBufferPointer)
    }

    let layout: FrameLayout
    let planes: Planes

    init(_ buffer: CVPixelBuffer) throws {
        switch CVPixelBufferGetPixelFormatType(buffer) {
        case kCVPixelFormatType_32BGRA: try self.init(bgra: buffer)
        case kCVPixelFormatType_420YpCbCr8BiPlanarFullRange: try self.init(biPlanar: buffer, range: .full)
        case kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange: try self.init(biPlanar: buffer, range: .limited)
        case let other:
            throw BedsideError.UnsupportedImage(
                message: "pixel format \(fourCharacters(other)); set kCVPixelBufferPixelFormatTypeKey to "
                    + "kCVPixelFormatType_32BGRA or kCVPixelFormatType_420YpCbCr8BiPlanarFullRange")
        }
    }

    private init(bgra buffer: CVPixelBuffer) throws {
        let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
        let stride = CVPixelBufferGetBytesPerRow(buffer)
        let start = CVPixelBufferGetBaseAddress(buffer)
        layout = .bgra8(width: UInt32(width), height: UInt32(height), rowStride: UInt32(stride))
        planes = .pixels(try rows(at: start, count: height, stride: stride, used: 4 * width))
    }

    private init(biPlanar buffer: CVPixelBuffer, range: YuvRange) throws {
        let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
        let (y, uv) = (CVPixelBufferGetBaseAddressOfPlane(buffer, 0), CVPixelBufferGetBaseAddressOfPlane(buffer, 1))
        let yStride = CVPixelBufferGetBytesPerRowOfPlane(buffer, 0)
        let uvStride = CVPixelBufferGetBytesPerRowOfPlane(buffer, 1)
        let luma = try rows(at: y, count: height, stride: yStride, used: width)
        let chroma = try rows(at: uv, count: (height + 1) / 2, stride: uvStride, used: 2 * ((width + 1) / 2))
        let strides = YuvStrides(
            yRow: UInt32(yStride), uRow: UInt32(uvStride), uPixel: 2, vRow: UInt32(uvStride), vPixel: 2)
        layout = .yuv420(
            width: UInt32(width), height: UInt32(height), strides: strides, matrix: try matrix(of: buffer),
            range: range)
        planes = .yuv420(y: luma, u: chroma, v: UnsafeRawBufferPointer(rebasing: chroma.dropFirst()))
    }
}

/// The rows of a plane, of which the last ends with its last pixel.
private func rows(
    at start: UnsafeMutableRawPointer?, count: Int, stride: Int, used: Int
) throws -> UnsafeRawBufferPointer {
    guard let start, count > 0 else {
        throw BedsideError.MalformedImage(message: "the pixel buffer has no bytes; give another frame")
    }
    return UnsafeRawBufferPointer(start: start, count: (count - 1) * stride + used)
}

/// The matrix that the frame's attachment names, or BT.601 where it has none.
private func matrix(of buffer: CVPixelBuffer) throws -> YuvMatrix {
    guard let attached = CVBufferCopyAttachment(buffer, kCVImageBufferYCbCrMatrixKey, nil) else { return .bt601 }
    let name = attached as? String
    if name == kCVImageBufferYCbCrMatrix_ITU_R_601_4 as String { return .bt601 }
    if name == kCVImageBufferYCbCrMatrix_ITU_R_709_2 as String { return .bt709 }
    throw BedsideError.UnsupportedImage(
        message: "YCbCr matrix \(name ?? "of no name"); set the camera to a format with BT.601 or BT.709")
}

/// A pixel format as four characters, such as `420f`, or as a number.
private func fourCharacters(_ code: OSType) -> String {
    let bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: code >> $0) }
    let isPrintable = bytes.allSatisfy { (0x20...0x7e).contains($0) }
    return isPrintable ? "`\(String(decoding: bytes, as: UTF8.self))`" : "\(code)"
}
#endif
