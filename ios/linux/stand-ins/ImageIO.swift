// The part of ImageIO that ios/Sources/Bedside and the demo app call. The raw values are those of EXIF and of Apple's
// header.

@_exported import CoreGraphics

public enum CGImagePropertyOrientation: UInt32 {
    case up = 1
    case upMirrored = 2
    case down = 3
    case downMirrored = 4
    case leftMirrored = 5
    case right = 6
    case rightMirrored = 7
    case left = 8
}

// The part that the demo app calls does nothing; the app is only compiled against it.

public typealias CFData = Data
public typealias CFString = String
public typealias CFDictionary = [String: Any]

public final class CGImageSource {}

public let kCGImageSourceCreateThumbnailFromImageAlways: CFString = "kCGImageSourceCreateThumbnailFromImageAlways"
public let kCGImageSourceCreateThumbnailWithTransform: CFString = "kCGImageSourceCreateThumbnailWithTransform"
public let kCGImageSourceThumbnailMaxPixelSize: CFString = "kCGImageSourceThumbnailMaxPixelSize"

public func CGImageSourceCreateWithData(_ data: CFData, _ options: CFDictionary?) -> CGImageSource? { nil }
public func CGImageSourceCreateThumbnailAtIndex(
    _ source: CGImageSource, _ index: Int, _ options: CFDictionary?
) -> CGImage? {
    nil
}
