// The bytes of pictures from files and from the photo library, and small previews.

import BedsideDemoCore
import Foundation
import PhotosUI
import SwiftUI
import UIKit

enum PictureFile {
    /// The longer side of a copy that parts are seen of, in pixels: of the smallest part that can be chosen some 150 are left.
    static let large = 2048

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

    /// An upright copy of a part, or of all where the part is nil; nil where the picture can't be decoded. A part is cut
    /// from a larger copy, so that it is still seen well.
    static func preview(of bytes: Data, part: Part? = nil) -> UIImage? {
        let bitmap = SystemPicture.bitmap(of: bytes, side: part == nil ? 1024 : large)
        let seen = if let part { bitmap?.cropped(to: part) } else { bitmap }
        return seen.map { UIImage(cgImage: $0) }
    }

    /// An upright copy in which a part is chosen; nil where the picture can't be decoded.
    static func copy(of bytes: Data) -> UIImage? {
        SystemPicture.bitmap(of: bytes, side: large).map { UIImage(cgImage: $0) }
    }
}

extension CGImage {
    fileprivate func cropped(to part: Part) -> CGImage? {
        let (width, height) = (Double(width), Double(height))
        return cropping(
            to: CGRect(
                x: part.left * width, y: part.top * height, width: part.width * width, height: part.height * height))
    }
}

/// The picture of a result, or the sentence that it is gone.
struct PicturePreview: View {
    /// The part that was looked at; nil for all of the picture.
    let part: Part?
    @EnvironmentObject private var model: AppModel
    @State private var preview: UIImage?

    var body: some View {
        if let picture = model.flow.picture {
            shown
                .task {
                    preview = await Task.detached { [part = part] in
                        PictureFile.preview(of: picture, part: part)
                    }.value
                }
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
