// The screen on which the spot is brought into the circle: what is in the square is what the program sees.

import BedsideDemoCore
import SwiftUI
import UIKit

struct CropView: View {
    let topic: Topic
    @EnvironmentObject private var model: AppModel
    @State private var picture: UIImage?
    @State private var crop = Crop()

    var body: some View {
        Screen(model.texts(.cropTitle)) {
            if let picture {
                Text(model.texts(.cropHint)).font(.title3)
                CropWindow(picture: picture, crop: $crop)
                zoom(picture)
            } else {
                Spinner()
            }
        }
        .navigationTitle(model.texts(topic.title))
        .safeAreaInset(edge: .bottom, spacing: 0) {
            if let picture {
                Footer(title: model.texts(.cropLook), symbol: "viewfinder") {
                    model.flow.crop(to: crop.part(of: picture.size))
                }
            }
        }
        .task { await open() }
    }

    private func zoom(_ picture: UIImage) -> some View {
        SideBySide {
            BigButton(title: model.texts(.cropCloser), symbol: "plus.magnifyingglass") {
                crop = crop.enlarged(by: CropWindow.factor, in: picture.size)
            }
            .keyboardShortcut("+", modifiers: [])
            BigButton(title: model.texts(.cropFurther), symbol: "minus.magnifyingglass") {
                crop = crop.enlarged(by: 1 / CropWindow.factor, in: picture.size)
            }
            .keyboardShortcut("-", modifiers: [])
        }
    }

    /// Reads the picture. One that can't be shown is looked at as a whole.
    private func open() async {
        guard let bytes = model.flow.picture else { return }
        picture = await Task.detached { PictureFile.copy(of: bytes) }.value
        if picture == nil, !Task.isCancelled { model.flow.crop(to: nil) }
    }
}
