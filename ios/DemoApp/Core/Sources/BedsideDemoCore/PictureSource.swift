// Where a picture came from, as text for saved captures.

import Bedside

public enum PictureSource: String, Codable, Sendable {
    /// The app's camera screen: the picture can be taken again.
    case camera
    /// A file, the photo library, or another app.
    case file

    var source: Source {
        switch self {
        case .camera: .camera
        case .file: .file
        }
    }

    /// The line of the slip.
    var line: Key {
        switch self {
        case .camera: .slipCamera
        case .file: .slipFile
        }
    }
}
