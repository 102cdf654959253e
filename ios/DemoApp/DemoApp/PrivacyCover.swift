// Covers all windows while the app is not active, so that the app switcher shows no patient's picture.

import SwiftUI
import UIKit

@MainActor
final class PrivacyCover {
    private var window: UIWindow?

    /// Shows the cover in a window of its own, which is above sheets and the camera too.
    func show(over scene: UIWindowScene?, name: String) {
        guard window == nil, let scene else { return }
        let cover = UIWindow(windowScene: scene)
        cover.windowLevel = .alert + 1
        cover.rootViewController = UIHostingController(rootView: Blank(name: name))
        cover.isHidden = false
        window = cover
    }

    func hide() {
        window?.isHidden = true
        window = nil
    }
}

private struct Blank: View {
    let name: String

    var body: some View {
        Text(name)
            .font(.largeTitle)
            .frame(maxWidth: .infinity, maxHeight: .infinity)
            .background(Color(uiColor: .systemBackground))
            .ignoresSafeArea()
    }
}
