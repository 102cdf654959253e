// The part of Core Graphics that ios/Sources/Bedside calls, with its signatures, so that Linux can compile and run that
// code. It draws only what the check needs: a bitmap composited over white.

@_exported import Foundation

public final class CGImage {
    public let width: Int
    public let height: Int
    /// Blue, green, red, premultiplied alpha.
    let pixels: [UInt8]

    public init(width: Int, height: Int, premultipliedBgra pixels: [UInt8]) {
        (self.width, self.height, self.pixels) = (width, height, pixels)
    }

    /// The app is only compiled against this.
    public func cropping(to rect: CGRect) -> CGImage? { nil }
}

public final class CGColorSpace {
    public static let sRGB = "kCGColorSpaceSRGB"

    public init?(name: String) {}
}

public enum CGImageAlphaInfo: UInt32 {
    case premultipliedFirst = 2
}

public struct CGBitmapInfo: OptionSet, Sendable {
    public let rawValue: UInt32
    public static let byteOrder32Little = CGBitmapInfo(rawValue: 2 << 12)

    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Rows of blue, green, red, alpha, 64 bytes longer than needed.
public final class CGContext {
    public let width: Int
    public let height: Int
    public let bytesPerRow: Int
    public let data: UnsafeMutableRawPointer?

    public init?(
        data: UnsafeMutableRawPointer?, width: Int, height: Int, bitsPerComponent: Int, bytesPerRow: Int,
        space: CGColorSpace, bitmapInfo: UInt32
    ) {
        guard width > 0, height > 0, bitsPerComponent == 8, bitmapInfo == 2 | 2 << 12 else { return nil }
        (self.width, self.height, self.bytesPerRow) = (width, height, 4 * width + 64)
        self.data = UnsafeMutableRawPointer.allocate(byteCount: self.bytesPerRow * height, alignment: 16)
    }

    deinit {
        data!.deallocate()
    }

    public func setFillColor(gray: CGFloat, alpha: CGFloat) {
        precondition(gray == 1 && alpha == 1, "the stand-in has white paint only")
    }

    public func fill(_ rectangle: CGRect) {
        memset(data!, 255, bytesPerRow * height)
    }

    public func draw(_ image: CGImage, in rectangle: CGRect) {
        for y in 0..<height {
            for x in 0..<width {
                let source = Array(image.pixels[(y * width + x) * 4..<(y * width + x) * 4 + 4])
                for (channel, value) in source.enumerated() {
                    let below = Int(data!.load(fromByteOffset: y * bytesPerRow + 4 * x + channel, as: UInt8.self))
                    let over = Int(value) + below * (255 - Int(source[3])) / 255
                    data!.storeBytes(of: UInt8(over), toByteOffset: y * bytesPerRow + 4 * x + channel, as: UInt8.self)
                }
            }
        }
    }
}
