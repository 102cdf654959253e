// The screen of an error and of what to do.

import BedsideDemoCore
import SwiftUI

struct FailureView: View {
    let page: FailurePage
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen(model.texts(.errorTitle)) {
            Text(page.text).font(.title3)
            if page.isAboutPicture {
                BigButton(
                    title: model.texts(.errorAgain), symbol: "arrow.counterclockwise", weight: .first,
                    action: model.flow.back)
            }
            BigButton(title: model.texts(.resultHome), symbol: "xmark", action: model.finish)
        }
    }
}
