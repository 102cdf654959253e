// The first screen, on which the topic is chosen.

import BedsideDemoCore
import SwiftUI

struct HomeView: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen(model.texts(.homeTitle)) {
            if model.flow.shared != nil {
                Text(model.texts(.homeShared)).font(.body.bold())
            }
            ForEach(Topic.allCases, id: \.self) { topic in
                BigButton(
                    title: model.texts(topic.title), detail: model.texts(topic.hint), symbol: topic.symbol,
                    weight: .first
                ) {
                    model.flow.choose(topic)
                }
            }
            Notice()
            Text(model.texts(.appOffline)).font(.callout)
        }
        .navigationTitle(model.texts(.appName))
    }
}

extension Topic {
    fileprivate var symbol: String {
        switch self {
        case .photo: "camera"
        case .skin: "magnifyingglass"
        case .breast: "wave.3.right"
        case .chest: "lungs"
        }
    }
}
