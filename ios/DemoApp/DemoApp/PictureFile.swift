// The bytes of pictures from files and from the photo library, in a format that the core reads, and small previews.

import Foundation
import ImageIO
import PhotosUI
import SwiftUI
import UIKit
import UniformTypeIdentifiers

enum PictureFile {
    /// The bytes of a file that another app or the file picker gave.
    static func bytes(of file: URL) async throws -> Data {
        let isScoped = file.startAccessingSecurityScopedResource()
        defer { if isScoped { file.stopAccessingSecurityScopedResource() } }
        return readable(try Data(contentsOf: file))
    }

    static func bytes(of photo: PhotosPickerItem) async throws -> Data {
        guard let bytes = try await photo.loadTransferable(type: Data.self) else {
            throw CocoaError(.fileReadUnknown)
        }
        return readable(bytes)
    }

    /// A small upright copy, or nil where the system can't decode the picture.
    static func preview(of bytes: Data) -> UIImage? {
        guard let source = CGImageSourceCreateWithData(bytes as CFData, nil) else { return nil }
        return copy(of: source, side: 1024)
    }

    /// Converts HEIC, which the core does not decode, to JPEG. Returns other bytes unchanged.
    private static func readable(_ bytes: Data) -> Data {
        guard let source = CGImageSourceCreateWithData(bytes as CFData, nil),
            let type = CGImageSourceGetType(source), UTType(type as String)?.conforms(to: .heif) == true,
            let jpeg = copy(of: source, side: 4096)?.jpegData(compressionQuality: 0.95)
        else { return bytes }
        return jpeg
    }

    /// The upright picture, decoded with its longer side at most `side` pixels.
    private static func copy(of source: CGImageSource, side: Int) -> UIImage? {
        let options: [CFString: Any] = [
            kCGImageSourceCreateThumbnailFromImageAlways: true, kCGImageSourceCreateThumbnailWithTransform: true,
            kCGImageSourceThumbnailMaxPixelSize: side,
        ]
        return CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary).map { UIImage(cgImage: $0) }
    }
}

/// The picture of a result, or the sentence that it is gone.
struct PicturePreview: View {
    @EnvironmentObject private var model: AppModel
    @State private var preview: UIImage?

    var body: some View {
        if let picture = model.flow.picture {
            shown
                .task { preview = await Task.detached { PictureFile.preview(of: picture) }.value }
        } else {
            Text(model.texts(.resultPictureGone))
        }
    }

    @ViewBuilder private var shown: some View {
        if let preview {
            Image(uiImage: preview)
                .resizable()
                .scaledToFit()
                .frame(maxHeight: 320)
                .accessibilityLabel(model.texts(.resultPicture))
        } else {
            Color.clear.frame(height: 1)
        }
    }
}
