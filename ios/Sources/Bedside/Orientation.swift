// The eight EXIF orientations, as the rotation and the mirroring that bring a picture upright.

/// The rotation that brings a picture upright, and whether left and right are exchanged after it.
struct Upright: Equatable {
    let rotation: Rotation
    let mirrored: Bool

    /// The steps for a value of the EXIF tag 0x0112 (EXIF 2.32, 4.6.4 A), which is also the raw value of
    /// `CGImagePropertyOrientation`. A value other than 1 to 8 counts as 1, which is upright.
    init(exif: UInt32) {
        switch exif {
        case 2: (rotation, mirrored) = (.upright, true)
        case 3: (rotation, mirrored) = (.clockwise180, false)
        case 4: (rotation, mirrored) = (.clockwise180, true)
        case 5: (rotation, mirrored) = (.clockwise90, true)
        case 6: (rotation, mirrored) = (.clockwise90, false)
        case 7: (rotation, mirrored) = (.clockwise270, true)
        case 8: (rotation, mirrored) = (.clockwise270, false)
        default: (rotation, mirrored) = (.upright, false)
        }
    }
}
