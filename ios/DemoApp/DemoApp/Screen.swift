// Parts that all screens share: the frame with its heading, large buttons, the notice.

import BedsideDemoCore
import SwiftUI

/// A screen that scrolls. Screen readers begin at its heading.
struct Screen<Top: View, Content: View>: View {
    private let heading: Top
    private let content: Content
    @AccessibilityFocusState private var isFocused: Bool

    init(@ViewBuilder heading: () -> Top, @ViewBuilder content: () -> Content) {
        self.heading = heading()
        self.content = content()
    }

    var body: some View {
        ScrollView {
            VStack(alignment: .leading, spacing: 16) {
                heading
                    .accessibilityAddTraits(.isHeader)
                    .accessibilityFocused($isFocused)
                content
            }
            .frame(maxWidth: 640, alignment: .leading)
            .padding()
            .frame(maxWidth: .infinity)
        }
        .scrollDismissesKeyboard(.interactively)
        .navigationBarTitleDisplayMode(.inline)
        .task { isFocused = true }
    }
}

extension Screen where Top == Title {
    init(_ title: String, @ViewBuilder content: () -> Content) {
        self.init(heading: { Title(text: title) }, content: content)
    }
}

struct Title: View {
    let text: String

    var body: some View {
        Text(text).font(.largeTitle.bold())
    }
}

/// A heading within a screen.
struct Heading: View {
    let text: String

    var body: some View {
        Text(text)
            .font(.headline)
            .accessibilityAddTraits(.isHeader)
    }
}

/// The label of a large button, as wide as the screen and high enough for gloves.
struct BigLabel: View {
    let title: String
    var detail: String?
    let symbol: String

    var body: some View {
        HStack(spacing: 12) {
            Image(systemName: symbol)
                .accessibilityHidden(true)
            VStack(alignment: .leading, spacing: 4) {
                Text(title).font(.title3.bold())
                if let detail { Text(detail).font(.body) }
            }
            Spacer(minLength: 0)
        }
        .multilineTextAlignment(.leading)
        .frame(maxWidth: .infinity, minHeight: 56, alignment: .leading)
    }
}

struct BigButton: View {
    enum Weight {
        case first
        case other
    }

    let title: String
    var detail: String?
    let symbol: String
    var weight = Weight.other
    let action: @MainActor () -> Void

    var body: some View {
        switch weight {
        case .first: button.buttonStyle(.borderedProminent)
        case .other: button.buttonStyle(.bordered)
        }
    }

    private var button: some View {
        Button {
            action()
        } label: {
            BigLabel(title: title, detail: detail, symbol: symbol)
        }
    }
}

/// The main button of a screen, for its inset at the bottom: below what scrolls, so that it is in view at every size of
/// type.
struct Footer: View {
    let title: String
    let symbol: String
    let action: @MainActor () -> Void

    var body: some View {
        BigButton(title: title, symbol: symbol, weight: .first, action: action)
            .dynamicTypeSize(...DynamicTypeSize.accessibility2)
            .frame(maxWidth: 640)
            .padding()
            .frame(maxWidth: .infinity)
            .background(Color(uiColor: .systemBackground))
    }
}

/// Views beside each other, or one below the other where the type is large.
struct SideBySide<Content: View>: View {
    @ViewBuilder let content: Content
    @Environment(\.dynamicTypeSize) private var size

    var body: some View {
        if size.isAccessibilitySize {
            VStack(alignment: .leading, spacing: 12) { content }
        } else {
            HStack(alignment: .top, spacing: 12) { content }
        }
    }
}

/// The notice, which must be shown with every result. It grows less than other text, so that it leaves room for the
/// result: at most 12 % of the height of a phone.
struct Notice: View {
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Text(model.texts(.appNotice))
            .font(.footnote.bold())
            .dynamicTypeSize(...DynamicTypeSize.xxxLarge)
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

struct Spinner: View {
    var body: some View {
        ProgressView()
            .controlSize(.large)
            .frame(maxWidth: .infinity, minHeight: 160)
            .accessibilityHidden(true)
    }
}

/// The screen while a model is opened or runs.
struct WaitingView: View {
    let title: Key
    /// The text of the button that stops the work, or nil for none. The way back stops it too.
    let stop: Key?
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen(model.texts(title)) {
            Spinner()
            if let stop {
                BigButton(title: model.texts(stop), symbol: "xmark", action: model.flow.back)
            }
        }
    }
}
