// The danger signs, for which a person is referred whatever the result is.

import BedsideDemoCore
import SwiftUI

struct DangerSignsView: View {
    let topics: [Topic]
    @EnvironmentObject private var model: AppModel
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        Screen(model.texts(.dangerTitle)) {
            ForEach(topics, id: \.self) { topic in
                Heading(text: model.texts(topic.title))
                Text(model.texts(topic.dangerLead)).font(.title3)
                ForEach(model.texts.lines(topic.dangerSigns), id: \.self) { sign in
                    Bullet(text: sign)
                }
                Text(model.texts(topic.dangerSource)).font(.footnote)
            }
            BigButton(title: model.texts(.dangerClose), symbol: "xmark", weight: .first) { dismiss() }
        }
    }
}

/// One item of a list.
struct Bullet: View {
    let text: String

    var body: some View {
        HStack(alignment: .firstTextBaseline, spacing: 8) {
            Image(systemName: "circle.fill")
                .imageScale(.small)
                .accessibilityHidden(true)
            Text(text)
        }
        .accessibilityElement(children: .combine)
    }
}
