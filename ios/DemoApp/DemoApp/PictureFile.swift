// The bytes of pictures from files and from the photo library, and small previews.

import BedsideDemoCore
import Foundation
import PhotosUI
import SwiftUI
import UIKit

enum PictureFile {
    /// The bytes of a file that another app or the file picker gave.
    static func bytes(of file: URL) async throws -> Data {
        let isScoped = file.startAccessingSecurityScopedResource()
        defer { if isScoped { file.stopAccessingSecurityScopedResource() } }
        return try Data(contentsOf: file)
    }

    static func bytes(of photo: PhotosPickerItem) async throws -> Data {
        guard let bytes = try await photo.loadTransferable(type: Data.self) else {
            throw CocoaError(.fileReadUnknown)
        }
        return bytes
    }

    /// A small upright copy, or nil where the system can't decode the picture.
    static func preview(of bytes: Data) -> UIImage? {
        SystemPicture.bitmap(of: bytes, side: 1024).map { UIImage(cgImage: $0) }
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
