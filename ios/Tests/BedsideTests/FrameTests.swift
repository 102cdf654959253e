// Frames of every layout and rotation, compared with the same picture as a BMP file.

import Foundation
import XCTest

@testable import Bedside

final class FrameTests: XCTestCase {
    private let classifier = try! TinyModel().classifier()
    private let picture = Picture.slope()
    private lazy var wanted = try! scores(ofFile: picture)

    private func scores(ofFile picture: Picture) throws -> [String: UInt32] {
        bits(try classifier.classify(image: Image.fromBytes(bytes: picture.bmp)))
    }

    private func scores(of planes: (y: Data, u: Data, v: Data, format: FrameFormat)) throws -> [String: UInt32] {
        bits(try classifier.classifyYuv420(y: planes.y, u: planes.u, v: planes.v, format: planes.format))
    }

    func testFrameOfEachLayoutGivesTheFilesScoresAtOddStrides() throws {
        let size = (width: UInt32(picture.width), height: UInt32(picture.height))
        let rgba = picture.rows(padding: 5) { [$0.red, $0.green, $0.blue, 255] }
        let bgra = picture.rows(padding: 3) { [$0.blue, $0.green, $0.red, 255] }
        let rgb = picture.rows(padding: 11) { [$0.red, $0.green, $0.blue] }
        let frames: [(Data, FrameLayout)] = [
            (rgb, .rgb8(width: size.width, height: size.height, rowStride: 3 * size.width + 11)),
            (rgba, .rgba8(width: size.width, height: size.height, rowStride: 4 * size.width + 5)),
            (bgra, .bgra8(width: size.width, height: size.height, rowStride: 4 * size.width + 3)),
            (picture.bmp, .encoded),
        ]
        for (pixels, layout) in frames {
            let format = FrameFormat(layout: layout, rotation: .upright)
            XCTAssertEqual(bits(try classifier.classifyFrame(pixels, format: format)), wanted, "\(layout)")
            let fromPointer = try pixels.withUnsafeBytes { try classifier.classifyFrame($0, format: format) }
            XCTAssertEqual(bits(fromPointer), wanted, "\(layout), by pointer")
            let copied = try Image.fromFrame(pixels, format: format)
            XCTAssertEqual(bits(try classifier.classify(image: copied)), wanted, "\(layout), copied")
            let copiedFromPointer = try pixels.withUnsafeBytes { try Image.fromFrame($0, format: format) }
            XCTAssertEqual(
                bits(try classifier.classify(image: copiedFromPointer)), wanted, "\(layout), copied by pointer")
        }
    }

    func testFrameInGreyGivesTheGreyFilesScores() throws {
        let wanted = try scores(ofFile: .grey)
        let pixels = Picture.grey.rows(padding: 7) { [$0.red] }
        let layout = FrameLayout.gray8(width: 41, height: 25, rowStride: 48)
        let format = FrameFormat(layout: layout, rotation: .upright)
        XCTAssertEqual(bits(try classifier.classifyFrame(pixels, format: format)), wanted)
        // In full range, Y is the level of grey.
        let planes = Planes(
            width: 41, height: 25, y: { Picture.grey.color($0, $1).red }, u: { _, _ in 128 }, v: { _, _ in 128 })
        XCTAssertEqual(try scores(of: planes.planar()), wanted)
        XCTAssertEqual(try scores(of: planes.biPlanar(uFirst: true)), wanted)
    }

    func testFrameWithTransparentPixelsIsCompositedOverWhite() throws {
        let format = FrameFormat(layout: .rgba8(width: 40, height: 24, rowStride: 160), rotation: .upright)
        let clear = Picture.plain((10, 20, 30)).rows { [$0.red, $0.green, $0.blue, 0] }
        XCTAssertEqual(
            bits(try classifier.classifyFrame(clear, format: format)), try scores(ofFile: .plain((255, 255, 255))))
    }

    func testYuvFrameGivesTheSameScoresInEachLayout() throws {
        let planes = Planes.slope
        let planar = planes.planar()
        let wanted = try scores(of: planar)
        XCTAssertEqual(try scores(of: planes.biPlanar(uFirst: true)), wanted, "NV12")
        XCTAssertEqual(try scores(of: planes.biPlanar(uFirst: false)), wanted, "NV21")
        let (y, u, v, format) = planar
        let copied = try Image.fromYuv420(y: y, u: u, v: v, format: format)
        XCTAssertEqual(bits(try classifier.classify(image: copied)), wanted)
        try y.withUnsafeBytes { y in
            try u.withUnsafeBytes { u in
                try v.withUnsafeBytes { v in
                    XCTAssertEqual(bits(try classifier.classifyYuv420(y: y, u: u, v: v, format: format)), wanted)
                    let copied = try Image.fromYuv420(y: y, u: u, v: v, format: format)
                    XCTAssertEqual(bits(try classifier.classify(image: copied)), wanted)
                }
            }
        }
    }

    func testYuvFrameIsConvertedByItsMatrixAndRange() throws {
        // Red by ITU-R BT.601, limited: 1.164 (81 - 16) + 1.596 (240 - 128) = 254; green and blue below 0.
        let red = Planes.plain(81, 90, 240)
        XCTAssertEqual(try scores(of: red.planar(range: .limited)), try scores(ofFile: .plain((254, 0, 0))))
        // By BT.709, limited: 1.164 (63 - 16) + 1.793 (240 - 128) = 255.5, cut to 255; G: 54.7 - 0.213 (-26) - 0.533
        // 112 = 0.6; B: 54.7 + 2.112 (-26) = -0.2.
        let hdRed = Planes.plain(63, 102, 240)
        XCTAssertEqual(
            try scores(of: hdRed.planar(matrix: .bt709, range: .limited)), try scores(ofFile: .plain((255, 1, 0))))
        XCTAssertNotEqual(try scores(of: hdRed.planar(range: .limited)), try scores(ofFile: .plain((255, 1, 0))))
    }

    func testFrameWithRotationAndMirroringGivesTheUprightScores() throws {
        let (width, height) = (picture.width, picture.height)
        // For each rotation, the upright position of a pixel that is stored at (x, y).
        let rotations: [(Rotation, (Int, Int) -> (Int, Int))] = [
            (.upright, { ($0, $1) }),
            (.clockwise90, { (width - 1 - $1, $0) }),
            (.clockwise180, { (width - 1 - $0, height - 1 - $1) }),
            (.clockwise270, { ($1, height - 1 - $0) }),
        ]
        for (rotation, upright) in rotations {
            let isQuarter = rotation == .clockwise90 || rotation == .clockwise270
            for mirrored in [false, true] {
                let stored = picture.stored(width: isQuarter ? height : width, height: isQuarter ? width : height) {
                    let (x, y) = upright($0, $1)
                    return (mirrored ? width - 1 - x : x, y)
                }
                let format = stored.rgbFormat(rotation: rotation, mirrored: mirrored)
                XCTAssertEqual(
                    bits(try classifier.classifyFrame(stored.rgb, format: format)), wanted, "\(rotation) \(mirrored)")
                let file = try Image.fromBytes(bytes: stored.bmp).rotated(rotation: rotation)
                let image = mirrored ? try file.mirrored() : file
                XCTAssertEqual(bits(try classifier.classify(image: image)), wanted, "\(rotation) \(mirrored), a file")
            }
        }
    }

    func testUprightUndoesEachExifOrientation() throws {
        let (right, bottom) = (picture.width - 1, picture.height - 1)
        // EXIF 2.32, 4.6.4 A, tag 0x0112: the upright position of a pixel that is stored at (x, y).
        let orientations: [UInt32: (Int, Int) -> (Int, Int)] = [
            1: { ($0, $1) }, 2: { (right - $0, $1) }, 3: { (right - $0, bottom - $1) }, 4: { ($0, bottom - $1) },
            5: { ($1, $0) }, 6: { (right - $1, $0) }, 7: { (right - $1, bottom - $0) }, 8: { ($1, bottom - $0) },
        ]
        for (exif, upright) in orientations {
            let (width, height) = exif > 4 ? (bottom + 1, right + 1) : (right + 1, bottom + 1)
            let stored = picture.stored(width: width, height: height, upright)
            let steps = Upright(exif: exif)
            let format = stored.rgbFormat(rotation: steps.rotation, mirrored: steps.mirrored)
            XCTAssertEqual(bits(try classifier.classifyFrame(stored.rgb, format: format)), wanted, "\(exif)")
        }
    }

    func testFrameInASliceOfDataIsReadFromItsStart() throws {
        let longer = Data(repeating: 7, count: 13) + picture.rgb + Data(repeating: 9, count: 5)
        let slice = longer[13..<13 + picture.rgb.count]
        XCTAssertEqual(bits(try classifier.classifyFrame(slice, format: picture.rgbFormat())), wanted)
        let file = (Data([1, 2, 3]) + picture.bmp).dropFirst(3)
        XCTAssertEqual(bits(try classifier.classify(image: Image.fromBytes(bytes: file))), wanted)
    }

    func testBorrowingDataDoesNotCopyBytes() {
        let pixels = [UInt8](repeating: 1, count: 1_000_000)
        pixels.withUnsafeBytes { pixels in
            Data(borrowing: pixels).withUnsafeBytes { XCTAssertEqual($0.baseAddress, pixels.baseAddress) }
        }
    }

    func testFrameThatDoesNotFitItsFormatIsMalformed() throws {
        let (pixels, format) = (picture.rgb, picture.rgbFormat())
        let classify = { [classifier] (pixels: Data, layout: FrameLayout) in
            try classifier.classifyFrame(pixels, format: FrameFormat(layout: layout, rotation: .upright))
        }
        assertThrows(.malformedImage) { try classifier.classifyFrame(pixels.dropLast(), format: format) }
        assertThrows(.malformedImage) { try classifier.classifyFrame(Data(), format: format) }
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        assertThrows(.malformedImage) { try classifier.classifyFrame(nothing, format: format) }
        assertThrows(.malformedImage) { try Image.fromFrame(pixels.dropLast(), format: format) }
        assertThrows(.malformedImage) { try classify(pixels, .rgb8(width: 41, height: 25, rowStride: 122)) }
        assertThrows(.malformedImage) { try classify(pixels, .rgb8(width: 0, height: 25, rowStride: 123)) }
        let huge = FrameLayout.rgb8(width: .max, height: .max, rowStride: .max)
        assertThrows(.malformedImage) { try classify(pixels, huge) }
        let (y, u, v, yuv) = Planes.slope.planar()
        assertThrows(.malformedImage) { try classifier.classifyFrame(y, format: yuv) }
        assertThrows(.malformedImage) { try classifier.classifyYuv420(y: y, u: u, v: v.dropLast(), format: yuv) }
        assertThrows(.malformedImage) { try classifier.classifyYuv420(y: pixels, u: u, v: v, format: format) }
    }

    func testFrameOfTwoGibibytesOrMoreIsTooLarge() throws {
        let count = 3 << 30
        let reserved = mmap(nil, count, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        let start = try XCTUnwrap(reserved == MAP_FAILED ? nil : reserved)
        defer { munmap(start, count) }
        let pixels = UnsafeRawBufferPointer(start: start, count: count)
        assertThrows(.tooLarge, saying: "3221225472 bytes") {
            try classifier.classifyFrame(pixels, format: picture.rgbFormat())
        }
    }
}
