// Examples of pictures, with their source: one as it should be, and two as they should not.

import BedsideDemoCore
import SwiftUI

struct PictureGuide: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        SideBySide {
            example("guide_so", .pictureGuideSo)
            example("guide_blurred", .pictureGuideBlurred)
            example("guide_far", .pictureGuideFar)
        }
        Text(model.texts(.pictureGuideSource)).font(.footnote)
    }

    private func example(_ picture: String, _ caption: Key) -> some View {
        VStack(alignment: .leading, spacing: 4) {
            Image(decorative: picture)
                .resizable()
                .scaledToFit()
                .frame(maxWidth: 240)
            Text(model.texts(caption)).font(.callout)
        }
        .frame(maxWidth: .infinity, alignment: .leading)
    }
}
