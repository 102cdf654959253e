// The capture as an observable object of SwiftUI, with the texts and models of the app's bundle.

import BedsideDemoCore
import SwiftUI

@MainActor
final class AppModel: ObservableObject {
    let flow: Flow
    var texts: Texts { flow.texts }

    init() {
        let language = Bundle.main.preferredLocalizations.first ?? "en"
        let texts = Texts(language: language) { key in
            Bundle.main.localizedString(forKey: key, value: nil, table: nil)
        }
        let bundle = Bundle.main.bundleURL
        flow = Flow(texts: texts) { topic in bundle.appendingPathComponent(topic.modelFile).path }
        flow.willChange = { [weak self] in self?.objectWillChange.send() }
        TemporaryFiles.removeLeftOvers()
    }

    /// The stack of pages. SwiftUI only removes pages; the flow adds them.
    var pages: [Page] {
        get { flow.pages }
        set { flow.back(to: newValue.count) }
    }

    /// The text that is typed for a question.
    subscript(typed question: String) -> String {
        get { if case .typed(let text)? = flow.drafts[question] { text } else { "" } }
        set { flow.answer(question, .typed(newValue)) }
    }

    /// The years that are typed for an age.
    subscript(years question: String) -> String {
        get { if case .age(let years, _)? = flow.drafts[question] { years } else { "" } }
        set { flow.answer(question, .age(years: newValue, months: self[months: question])) }
    }

    /// The months that are typed for an age.
    subscript(months question: String) -> String {
        get { if case .age(_, let months)? = flow.drafts[question] { months } else { "" } }
        set { flow.answer(question, .age(years: self[years: question], months: newValue)) }
    }

    /// The local share that is typed for a label, in per cent.
    subscript(localShare label: String) -> String {
        get { flow.localShares[label] ?? "" }
        set { flow.setLocalShare(of: label, newValue) }
    }

    var site: String {
        get { flow.site }
        set { flow.site = newValue }
    }

    func again() {
        flow.again()
        TemporaryFiles.removeAll()
    }

    func finish() {
        flow.finish()
        TemporaryFiles.removeAll()
    }

    /// Classifies the picture of a file that `load` returns. Does nothing where it returns nil.
    func look(at load: @escaping @Sendable () async throws -> Data?) {
        Task {
            do {
                if let bytes = try await load() { flow.look(at: bytes, from: .file) }
            } catch {
                flow.pictureIsUnreadable()
            }
        }
    }

    /// Takes a picture that another app opened with this one.
    func receive(_ file: URL) {
        Task {
            flow.receive(try? await PictureFile.bytes(of: file))
            TemporaryFiles.removeAll()
        }
    }
}
