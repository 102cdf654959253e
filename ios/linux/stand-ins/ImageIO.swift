// The part of ImageIO that ios/Sources/Bedside calls. The raw values are those of EXIF and of Apple's header.

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
