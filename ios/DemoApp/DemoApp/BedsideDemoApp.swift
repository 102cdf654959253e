// The demo app: one window over one capture. What it does is in BedsideDemoCore; these are its views.

import SwiftUI

@main
struct BedsideDemoApp: App {
    var body: some Scene {
        WindowGroup {
            RootView()
        }
    }
}
