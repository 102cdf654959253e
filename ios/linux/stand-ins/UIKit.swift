// The part of UIKit that ios/Sources/Bedside calls. The raw values are those of Apple's header.

@_exported import CoreGraphics

public final class UIImage {
    public enum Orientation: Int {
        case up = 0
        case down = 1
        case left = 2
        case right = 3
        case upMirrored = 4
        case downMirrored = 5
        case leftMirrored = 6
        case rightMirrored = 7
    }

    public let cgImage: CGImage?
    public let imageOrientation: Orientation

    public init(cgImage: CGImage?, orientation: Orientation) {
        (self.cgImage, self.imageOrientation) = (cgImage, orientation)
    }
}
