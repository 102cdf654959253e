// The demo app: one window with one capture. This folder has its views; BedsideDemoCore has the rest.

import SwiftUI

@main
struct BedsideDemoApp: App {
    var body: some Scene {
        WindowGroup {
            RootView()
        }
    }
}
