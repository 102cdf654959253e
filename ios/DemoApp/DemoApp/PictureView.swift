// The screen on which the picture is taken or chosen: camera and photos for photographed topics, files for all.

import BedsideDemoCore
import PhotosUI
import SwiftUI
import UIKit
import UniformTypeIdentifiers

extension UTType {
    /// A picture of an archive or a scanner. `Info.plist` declares it.
    fileprivate static let dicom = UTType(importedAs: "org.nema.dicom", conformingTo: .data)
}

struct PictureView: View {
    let topic: Topic
    @EnvironmentObject private var model: AppModel
    @State private var photo: PhotosPickerItem?
    @State private var showsCamera = false
    @State private var showsFiles = false
    @State private var lacksCamera = false

    var body: some View {
        Screen(model.texts(.pictureTitle)) {
            Text(model.texts(topic.pictureHint)).font(.title3)
            if topic.isCropped { PictureGuide() }
            known
            if topic.isPhotographed { photographed }
            BigButton(title: model.texts(.pictureFile), symbol: "folder", action: { showsFiles = true })
        }
        .navigationTitle(model.texts(topic.title))
        .fullScreenCover(isPresented: $showsCamera) {
            Camera { bytes in
                showsCamera = false
                if let bytes { model.flow.look(at: bytes, from: .camera) }
            }
            .ignoresSafeArea()
        }
        // The files of a CD from an archive have no extension, and so no type.
        .fileImporter(isPresented: $showsFiles, allowedContentTypes: [.image, .dicom, .data]) { result in
            model.look { try await PictureFile.bytes(of: result.get()) }
        }
        .onChange(of: photo) { item in
            guard let item else { return }
            photo = nil
            model.look { try await PictureFile.bytes(of: item) }
        }
    }

    /// The shared picture and the last picture, where there are any.
    @ViewBuilder private var known: some View {
        if let shared = model.flow.shared {
            BigButton(title: model.texts(.pictureShared), symbol: "square.and.arrow.down", weight: .first) {
                model.flow.look(at: shared, from: .file)
            }
        }
        if model.flow.samePicture != nil {
            BigButton(
                title: model.texts(.pictureSame), symbol: "arrow.counterclockwise", action: model.flow.lookAgain)
        }
    }

    @ViewBuilder private var photographed: some View {
        BigButton(title: model.texts(.pictureTake), symbol: "camera", weight: .first, action: openCamera)
        if lacksCamera {
            Text(model.texts(.pictureNoCamera)).font(.body.bold())
        }
        // With `compatible` the photo library gives HEIC photos as JPEG, which the library itself decodes.
        PhotosPicker(selection: $photo, matching: .images, preferredItemEncoding: .compatible) {
            BigLabel(title: model.texts(.pictureChoose), symbol: "photo")
        }
        .buttonStyle(.bordered)
    }

    private func openCamera() {
        lacksCamera = !Camera.isAvailable
        showsCamera = !lacksCamera
        if lacksCamera {
            UIAccessibility.post(notification: .announcement, argument: model.texts(.pictureNoCamera))
        }
    }
}
