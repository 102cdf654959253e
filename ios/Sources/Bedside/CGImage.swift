// Pictures of Core Graphics. The file of a photo gives a more exact result: see `Image.open` and `Image.fromBytes`.

#if canImport(CoreGraphics)
import CoreGraphics
import Foundation
import ImageIO

extension Image {
    /// Draws a bitmap into sRGB pixels, composited over white, and copies them.
    ///
    /// Takes 4 bytes for each pixel, and as many again while it runs. Core Graphics converts the colours of other
    /// spaces, such as Display P3. The same photo as a file is read as sRGB, so its scores differ a little. Runs on the
    /// caller's thread.
    ///
    /// - Parameters:
    ///   - bitmap: The picture.
    ///   - orientation: The orientation of the bitmap, which is undone.
    /// - Throws: `BedsideError`: `MalformedImage` where Core Graphics has no memory for the pixels, `TooLarge` where
    ///   they have more than 256 MiB.
    public static func fromCGImage(_ bitmap: CGImage, orientation: CGImagePropertyOrientation = .up) throws -> Image {
        guard let context = CGContext.drawn(bitmap), let start = context.data else {
            throw BedsideError.MalformedImage(
                message: "Core Graphics can't draw a bitmap of \(bitmap.width) × \(bitmap.height) pixels; "
                    + "give a smaller one")
        }
        let layout = FrameLayout.bgra8(
            width: UInt32(context.width), height: UInt32(context.height), rowStride: UInt32(context.bytesPerRow))
        let upright = Upright(exif: orientation.rawValue)
        let format = FrameFormat(layout: layout, rotation: upright.rotation, mirrored: upright.mirrored)
        // The context owns the pixels and must not be freed before they are read.
        return try withExtendedLifetime(context) {
            let pixels = UnsafeRawBufferPointer(start: start, count: context.bytesPerRow * context.height)
            return try fromFrame(pixels, format: format)
        }
    }
}

extension CGContext {
    /// A bitmap composited over white, as rows of blue, green, red and full alpha in sRGB.
    fileprivate static func drawn(_ bitmap: CGImage) -> CGContext? {
        let bgra = CGImageAlphaInfo.premultipliedFirst.rawValue | CGBitmapInfo.byteOrder32Little.rawValue
        guard let sRGB = CGColorSpace(name: CGColorSpace.sRGB),
            let context = CGContext(
                data: nil, width: bitmap.width, height: bitmap.height, bitsPerComponent: 8, bytesPerRow: 0,
                space: sRGB, bitmapInfo: bgra)
        else { return nil }
        let whole = CGRect(x: 0, y: 0, width: bitmap.width, height: bitmap.height)
        context.setFillColor(gray: 1, alpha: 1)
        context.fill(whole)
        context.draw(bitmap, in: whole)
        return context
    }
}
#endif
