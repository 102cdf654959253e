// The stack of pages, and the events of the system: shared pictures, and the app becoming active or inactive.

import BedsideDemoCore
import SwiftUI
import UIKit

struct RootView: View {
    @StateObject private var model = AppModel()
    @SceneStorage("capture") private var saved = ""
    @State private var cover = PrivacyCover()

    var body: some View {
        NavigationStack(path: $model.pages) {
            HomeView()
                .navigationDestination(for: Page.self) { page in PageView(page: page) }
        }
        .environmentObject(model)
        .onAppear { model.flow.restore(saved) }
        .onChange(of: model.flow.saved) { text in saved = text }
        .onOpenURL { file in model.receive(file) }
        .onReceive(NotificationCenter.default.publisher(for: UIScene.willDeactivateNotification)) { notification in
            cover.show(over: notification.object as? UIWindowScene, name: model.texts(.appName))
        }
        .onReceive(NotificationCenter.default.publisher(for: UIScene.didActivateNotification)) { _ in
            cover.hide()
        }
    }
}

private struct PageView: View {
    let page: Page

    var body: some View {
        switch page {
        case .opening: WaitingView(title: .questionsOpening, stop: nil)
        case .questions(let page): QuestionsView(page: page)
        case .picture(let topic): PictureView(topic: topic)
        case .crop(let topic): CropView(topic: topic)
        case .working: WaitingView(title: .workTitle, stop: .workCancel)
        case .result(let page): ResultView(page: page)
        case .clinicians(let page): CliniciansView(page: page)
        case .slip(let slip): SlipView(slip: slip)
        case .failed(let page): FailureView(page: page)
        }
    }
}
