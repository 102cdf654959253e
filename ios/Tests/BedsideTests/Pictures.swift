// Pictures that a formula gives, in every layout of a frame and as a BMP file.

import Foundation

@testable import Bedside

/// The format of the bytes of a file.
let encodedFormat = FrameFormat(layout: .encoded, rotation: .upright)

/// A colour for each pixel.
struct Picture {
    typealias Color = (red: UInt8, green: UInt8, blue: UInt8)

    let width: Int
    let height: Int
    let color: (Int, Int) -> Color

    /// A picture whose corners differ, so that each rotation gives another picture.
    static func slope(width: Int = 41, height: Int = 25) -> Picture {
        Picture(width: width, height: height) { x, y in
            (UInt8(x * 255 / width), UInt8(y * 255 / height), UInt8((x * 7 + y * 13) % 256))
        }
    }

    static func plain(_ color: Color) -> Picture {
        Picture(width: 40, height: 24) { _, _ in color }
    }

    /// A picture in grey.
    static var grey: Picture {
        Picture(width: 41, height: 25) { x, y in
            let level = UInt8((x * 5 + y * 3) % 256)
            return (level, level, level)
        }
    }

    /// A picture of this size whose pixel at (x, y) is copied from the position that `upright` gives.
    func stored(width: Int, height: Int, _ upright: @escaping (Int, Int) -> (Int, Int)) -> Picture {
        Picture(width: width, height: height) { x, y in
            let (x, y) = upright(x, y)
            return color(x, y)
        }
    }

    /// Rows of pixels with `padding` bytes between them and none after the last.
    func rows(padding: Int = 0, _ pixel: (Color) -> [UInt8]) -> Data {
        var bytes = Data()
        for y in 0..<height {
            for x in 0..<width { bytes.append(contentsOf: pixel(color(x, y))) }
            if y < height - 1 { bytes.append(contentsOf: [UInt8](repeating: 0xa5, count: padding)) }
        }
        return bytes
    }

    /// The pixels as red, green, blue without padding.
    var rgb: Data { rows { [$0.red, $0.green, $0.blue] } }

    func rgbFormat(rotation: Rotation = .upright, mirrored: Bool = false) -> FrameFormat {
        let layout = FrameLayout.rgb8(width: UInt32(width), height: UInt32(height), rowStride: UInt32(3 * width))
        return FrameFormat(layout: layout, rotation: rotation, mirrored: mirrored)
    }

    /// The picture as a BMP file: 24 bits for each pixel, the last row first, rows padded to 4 bytes.
    var bmp: Data {
        let padding = (4 - 3 * width % 4) % 4
        var pixels = Data()
        for y in (0..<height).reversed() {
            for x in 0..<width {
                let (red, green, blue) = color(x, y)
                pixels.append(contentsOf: [blue, green, red])
            }
            pixels.append(Data(count: padding))
        }
        let header = littleEndian(40) + littleEndian(width) + littleEndian(height) + Data([1, 0, 24, 0])
        let rest = littleEndian(0) + littleEndian(pixels.count) + Data(count: 16)
        return Data("BM".utf8) + littleEndian(54 + pixels.count) + littleEndian(0) + littleEndian(54) + header + rest
            + pixels
    }
}

private func littleEndian(_ number: Int) -> Data {
    withUnsafeBytes(of: UInt32(number).littleEndian) { Data($0) }
}

/// The three planes of a YUV 4:2:0 frame.
struct Planes {
    let width: Int
    let height: Int
    let y: (Int, Int) -> UInt8
    let u: (Int, Int) -> UInt8
    let v: (Int, Int) -> UInt8

    static var slope: Planes {
        Planes(
            width: 41, height: 25, y: { x, y in UInt8(x * 4 + y) }, u: { x, y in UInt8(90 + 3 * x - y) },
            v: { x, y in UInt8(200 - 2 * x + y) })
    }

    static func plain(_ y: UInt8, _ u: UInt8, _ v: UInt8) -> Planes {
        Planes(width: 40, height: 24, y: { _, _ in y }, u: { _, _ in u }, v: { _, _ in v })
    }

    /// The bytes of a plane at these strides, which are in bytes.
    func plane(
        _ sample: (Int, Int) -> UInt8, columns: Int, rows: Int, rowStride: Int, pixelStride: Int = 1
    ) -> Data {
        var bytes = Data(repeating: 0xa5, count: (rows - 1) * rowStride + (columns - 1) * pixelStride + 1)
        for row in 0..<rows {
            for column in 0..<columns { bytes[row * rowStride + column * pixelStride] = sample(column, row) }
        }
        return bytes
    }

    /// Three planes with odd strides.
    func planar(matrix: YuvMatrix = .bt601, range: YuvRange = .full) -> (y: Data, u: Data, v: Data, FrameFormat) {
        let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
        let strides = YuvStrides(
            yRow: UInt32(width + 7), uRow: UInt32(columns + 3), uPixel: 1, vRow: UInt32(columns + 5), vPixel: 1)
        return (
            plane(y, columns: width, rows: height, rowStride: width + 7),
            plane(u, columns: columns, rows: rows, rowStride: columns + 3),
            plane(v, columns: columns, rows: rows, rowStride: columns + 5), format(strides, matrix, range)
        )
    }

    /// A plane of Y, and one of U and V interleaved: U first (NV12), or V first (NV21).
    func biPlanar(uFirst: Bool) -> (y: Data, u: Data, v: Data, FrameFormat) {
        let (columns, rows) = ((width + 1) / 2, (height + 1) / 2)
        let stride = 2 * columns + 6
        var pairs = Data(repeating: 0xa5, count: (rows - 1) * stride + 2 * columns)
        for row in 0..<rows {
            for column in 0..<columns {
                pairs[row * stride + 2 * column] = uFirst ? u(column, row) : v(column, row)
                pairs[row * stride + 2 * column + 1] = uFirst ? v(column, row) : u(column, row)
            }
        }
        let strides = YuvStrides(
            yRow: UInt32(width), uRow: UInt32(stride), uPixel: 2, vRow: UInt32(stride), vPixel: 2)
        let (first, second) = (pairs, pairs.dropFirst())
        return (
            plane(y, columns: width, rows: height, rowStride: width), uFirst ? first : second,
            uFirst ? second : first, format(strides, .bt601, .full)
        )
    }

    private func format(_ strides: YuvStrides, _ matrix: YuvMatrix, _ range: YuvRange) -> FrameFormat {
        let layout = FrameLayout.yuv420(
            width: UInt32(width), height: UInt32(height), strides: strides, matrix: matrix, range: range)
        return FrameFormat(layout: layout, rotation: .upright)
    }
}
