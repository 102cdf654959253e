// Pictures that the library does not decode, such as HEIC, through the system's decoder.

import Bedside
import Foundation
#if canImport(ImageIO)
import ImageIO
#endif

public enum SystemPicture {
    /// Decodes a picture upright with the system's decoder, with its longer side at most 4096 pixels.
    ///
    /// - Returns: Nil where the system can't decode it either, or has no decoder.
    /// - Throws: `BedsideError`, as `Image.fromCGImage` does.
    public static func decode(_ bytes: Data) throws -> Image? {
        #if canImport(ImageIO)
        try decoded(bytes, side: 4096).map { try Image.fromCGImage($0) }
        #else
        nil
        #endif
    }

    #if canImport(ImageIO)
    /// The upright picture, with its longer side at most `side` pixels; nil where neither the system nor the library can decode
    /// it. What the system can't decode, such as DICOM, is as the library looks at it.
    public static func bitmap(of bytes: Data, side: Int) -> CGImage? {
        if let picture = decoded(bytes, side: side) { return picture }
        let png = try? Image.fromBytes(bytes: bytes).shown(maxSide: UInt32(side))
        return png.flatMap { decoded($0, side: side) }
    }

    private static func decoded(_ bytes: Data, side: Int) -> CGImage? {
        let options: [CFString: Any] = [
            kCGImageSourceCreateThumbnailFromImageAlways: true, kCGImageSourceCreateThumbnailWithTransform: true,
            kCGImageSourceThumbnailMaxPixelSize: side,
        ]
        return CGImageSourceCreateWithData(bytes as CFData, nil).flatMap { source in
            CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary)
        }
    }
    #endif
}
