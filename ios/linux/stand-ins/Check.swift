// Tests the sources for Apple's frameworks over stand-ins. check.sh compiles this file into the module Bedside.

import CoreGraphics
import CoreVideo
import Foundation
import ImageIO
import UIKit

nonisolated(unsafe) private var failures = 0

private func expect(_ isTrue: Bool, _ what: String) {
    print(isTrue ? "ok      \(what)" : "FAILED  \(what)")
    if !isTrue { failures += 1 }
}

/// Expects an error of this kind whose message contains `word`.
private func expectError(_ kind: ErrorKind, _ word: String, _ what: String, _ call: () throws -> Any) {
    do {
        _ = try call()
        expect(false, "\(what): nothing was thrown")
    } catch let error as BedsideError {
        expect(error.kind == kind && error.message.contains(word), "\(what): \(error)")
    } catch {
        expect(false, "\(what): \(error)")
    }
}

private let classifier = try Classifier.open(path: "models/skin-lesion/model.onnx")
private let query = Query(answers: ["dermatoscope": .yes, "mole_like": .yes])
private let (width, height) = (31, 17)
private let size = (width: UInt32(width), height: UInt32(height))

/// A picture whose corners differ, so that each rotation gives another picture.
private func colour(_ x: Int, _ y: Int) -> [UInt8] {
    [UInt8(x * 8), UInt8(y * 15), UInt8((x * 7 + y * 13) % 256)]
}

private func bits(_ report: Report) -> [UInt32] { report.findings.map(\.probability.bitPattern) }

/// The scores of a frame of this size, by a call that the tests compare with the command.
private func scores(_ pixels: [UInt8], _ layout: FrameLayout, _ rotation: Rotation = .upright) throws -> [UInt32] {
    let format = FrameFormat(layout: layout, rotation: rotation)
    return bits(try classifier.classifyFrame(Data(pixels), format: format, query: query))
}

private let rgb = (0..<height).flatMap { y in (0..<width).flatMap { x in colour(x, y) } }
private let wanted = try scores(rgb, .rgb8(width: size.width, height: size.height, rowStride: 3 * size.width))

/// Pixels as Core Graphics and cameras store them, with padding after each row but the last.
private func bgra(_ padding: Int, alpha: UInt8 = 255) -> [UInt8] {
    (0..<height).flatMap { y in
        (0..<width).flatMap { x in colour(x, y).reversed() + [alpha] }
            + [UInt8](repeating: 0xa5, count: y < height - 1 ? padding : 0)
    }
}

private func checkPixelBuffers() throws {
    let camera = CVPixelBuffer(
        format: kCVPixelFormatType_32BGRA, width: width, height: height, planes: [bgra(12)], strides: [4 * width + 12])
    expect(try bits(classifier.classify(pixelBuffer: camera, query: query)) == wanted, "32BGRA")
    expect(camera.locks == 0, "the pixel buffer is unlocked")

    let turned = try classifier.classify(pixelBuffer: camera, rotation: .clockwise90, query: query)
    let layout = FrameLayout.rgb8(width: size.width, height: size.height, rowStride: 3 * size.width)
    expect(try bits(turned) == scores(rgb, layout, .clockwise90), "32BGRA, turned")

    try checkBiPlanar()

    let deep = CVPixelBuffer(format: 0x7834_3230, width: 2, height: 2, planes: [[0]], strides: [1])
    expectError(.unsupportedImage, "`x420`", "another format") { try classifier.classify(pixelBuffer: deep) }
    expect(deep.locks == 0, "it is unlocked after an error")
    let gone = CVPixelBuffer(format: kCVPixelFormatType_32BGRA, width: 2, height: 2, planes: [], strides: [8])
    expectError(.malformedImage, "no bytes", "no base address") { try classifier.classify(pixelBuffer: gone) }
    gone.isGone = true
    expectError(.malformedImage, "locked", "no lock") { try classifier.classify(pixelBuffer: gone) }
}

private func checkBiPlanar() throws {
    let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
    let y = (0..<height * (width + 5) - 5).map { UInt8($0 % 200) }
    let uv = (0..<rows * (2 * columns + 6) - 6).map { UInt8(60 + $0 % 150) }
    let formats = [
        (kCVPixelFormatType_420YpCbCr8BiPlanarFullRange, YuvRange.full),
        (kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange, .limited),
    ]
    let matrices: [(String?, YuvMatrix)] = [
        (nil, .bt601), (kCVImageBufferYCbCrMatrix_ITU_R_601_4, .bt601), (kCVImageBufferYCbCrMatrix_ITU_R_709_2, .bt709),
    ]
    let uvStride = UInt32(2 * columns + 6)
    for (format, range) in formats {
        for (name, matrix) in matrices {
            let buffer = CVPixelBuffer(
                format: format, width: width, height: height, planes: [y, uv], strides: [width + 5, Int(uvStride)])
            buffer.matrix = name
            let strides = YuvStrides(yRow: size.width + 5, uRow: uvStride, uPixel: 2, vRow: uvStride, vPixel: 2)
            let layout = FrameLayout.yuv420(
                width: size.width, height: size.height, strides: strides, matrix: matrix, range: range)
            let wanted = try classifier.classifyYuv420(
                y: Data(y), u: Data(uv), v: Data(uv.dropFirst()),
                format: FrameFormat(layout: layout, rotation: .upright), query: query)
            expect(
                try bits(classifier.classify(pixelBuffer: buffer, query: query)) == bits(wanted),
                "420YpCbCr8BiPlanar, \(range), \(name ?? "no matrix")")
        }
    }
    let wide = CVPixelBuffer(format: formats[0].0, width: width, height: height, planes: [y, uv], strides: [36, 38])
    wide.matrix = "ITU_R_2020"
    expectError(.unsupportedImage, "ITU_R_2020", "another matrix") { try classifier.classify(pixelBuffer: wide) }
}

private func checkBitmaps() throws {
    let bitmap = CGImage(width: width, height: height, premultipliedBgra: bgra(0))
    expect(try bits(classifier.classify(image: .fromCGImage(bitmap), query: query)) == wanted, "CGImage")

    let nothing = [UInt8](repeating: 0, count: 4 * width * height)
    let clear = CGImage(width: width, height: height, premultipliedBgra: nothing)
    let white = FrameLayout.gray8(width: size.width, height: size.height, rowStride: size.width)
    let wantedWhite = try scores([UInt8](repeating: 255, count: width * height), white)
    expect(try bits(classifier.classify(image: .fromCGImage(clear), query: query)) == wantedWhite, "clear is white")

    let pairs: [(UIImage.Orientation, CGImagePropertyOrientation, Rotation, Bool)] = [
        (.up, .up, .upright, false), (.upMirrored, .upMirrored, .upright, true),
        (.down, .down, .clockwise180, false), (.downMirrored, .downMirrored, .clockwise180, true),
        (.right, .right, .clockwise90, false), (.leftMirrored, .leftMirrored, .clockwise90, true),
        (.left, .left, .clockwise270, false), (.rightMirrored, .rightMirrored, .clockwise270, true),
    ]
    for (orientation, exif, rotation, mirrored) in pairs {
        let turned = try Image.fromCGImage(bitmap).rotated(rotation: rotation)
        let wanted = bits(try classifier.classify(image: mirrored ? turned.mirrored() : turned, query: query))
        let picture = try Image.fromUIImage(UIImage(cgImage: bitmap, orientation: orientation))
        expect(try bits(classifier.classify(image: picture, query: query)) == wanted, "UIImage, \(orientation)")
        let same = try Image.fromCGImage(bitmap, orientation: exif)
        expect(try bits(classifier.classify(image: same, query: query)) == wanted, "CGImage, \(exif)")
    }
    let none = UIImage(cgImage: nil, orientation: .up)
    expectError(.unsupportedImage, "CIImage", "no bitmap") { try Image.fromUIImage(none) }
    let empty = CGImage(width: 0, height: 0, premultipliedBgra: [])
    expectError(.malformedImage, "0 × 0", "an empty bitmap") { try Image.fromCGImage(empty) }
}

try checkPixelBuffers()
try checkBitmaps()
exit(failures == 0 ? 0 : 1)
