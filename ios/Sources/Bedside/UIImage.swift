// Pictures of UIKit, with their orientation.

#if canImport(UIKit)
import ImageIO
import UIKit

extension Image {
    /// Draws a `UIImage` into pixels, as `fromCGImage` does, and brings it upright by its `imageOrientation`. Its
    /// `scale` is not used.
    ///
    /// - Throws: `BedsideError`: `UnsupportedImage` where it has no `cgImage`, such as one made of a `CIImage`; else as
    ///   `fromCGImage` does.
    public static func fromUIImage(_ picture: UIImage) throws -> Image {
        guard let bitmap = picture.cgImage else {
            throw BedsideError.UnsupportedImage(
                message: "the UIImage has no bitmap; render its CIImage to a CGImage first")
        }
        return try fromCGImage(bitmap, orientation: CGImagePropertyOrientation(picture.imageOrientation))
    }
}

extension CGImagePropertyOrientation {
    /// The same orientation. The two types have the same names and other raw values.
    fileprivate init(_ orientation: UIImage.Orientation) {
        switch orientation {
        case .up: self = .up
        case .upMirrored: self = .upMirrored
        case .down: self = .down
        case .downMirrored: self = .downMirrored
        case .left: self = .left
        case .leftMirrored: self = .leftMirrored
        case .right: self = .right
        case .rightMirrored: self = .rightMirrored
        @unknown default: self = .up
        }
    }
}
#endif
