// The part of a picture that is looked at, and the square by which a person chooses it.

import Bedside
import Foundation

/// The square of an upright picture that is looked at: its centre, as fractions of the picture's width and height, and
/// its side, as a fraction of the shorter one. The functions take the picture's size, of which only the ratio matters,
/// and return a square that lies within the picture.
public struct Crop: Hashable, Sendable {
    /// The smallest side. With less, few pixels of a photo are left.
    static let smallest = 0.1

    let x: Double
    let y: Double
    let side: Double

    init(x: Double, y: Double, side: Double) {
        (self.x, self.y, self.side) = (x, y, side)
    }

    /// The largest square in the middle.
    public init() {
        self.init(x: 0.5, y: 0.5, side: 1)
    }

    /// The square moved by fractions of its own side.
    public func moved(right: Double, down: Double, in picture: CGSize) -> Crop {
        let (width, height) = fractions(of: picture)
        return Crop(x: x + right * width, y: y + down * height, side: side).within(picture)
    }

    /// The square with what is in it shown larger by a factor.
    public func enlarged(by factor: Double, in picture: CGSize) -> Crop {
        Crop(x: x, y: y, side: min(max(side / factor, Self.smallest), 1)).within(picture)
    }

    /// The square as a part of the picture.
    public func part(of picture: CGSize) -> Part {
        let (width, height) = fractions(of: picture)
        return Part(
            left: max(x - width / 2, 0), top: max(y - height / 2, 0), width: min(width, 1), height: min(height, 1))
    }

    private func within(_ picture: CGSize) -> Crop {
        let (width, height) = fractions(of: picture)
        return Crop(
            x: min(max(x, width / 2), 1 - width / 2), y: min(max(y, height / 2), 1 - height / 2), side: side)
    }

    /// The side as fractions of the picture's width and height.
    private func fractions(of picture: CGSize) -> (width: Double, height: Double) {
        let (width, height) = (Double(picture.width), Double(picture.height))
        let pixels = side * min(width, height)
        return (pixels / width, pixels / height)
    }
}

/// A part of an upright picture, as fractions of its width and height.
public struct Part: Hashable, Codable, Sendable {
    public let left: Double
    public let top: Double
    public let width: Double
    public let height: Double

    /// The part as the library takes it.
    var region: Region {
        Region(left: Float(left), top: Float(top), width: Float(width), height: Float(height))
    }
}
