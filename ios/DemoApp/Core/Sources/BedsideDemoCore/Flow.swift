// A capture from the first screen to the slip: its stack of pages, the answers, and the work that is running.

import Bedside
import Foundation

/// Holds a capture and does its work off the main thread. The first screen is shown where there are no pages.
///
/// Pictures are in memory only. A capture can be saved as text, without its picture, and restored.
@MainActor
public final class Flow {
    /// The pages above the first screen, the visible one last.
    public private(set) var pages: [Page] = [] { willSet { willChange() } }
    /// What was tapped and typed for the questions, by their ids.
    public private(set) var drafts: [String: Draft] = [:] { willSet { willChange() } }
    /// The picture that was classified last, or is being classified.
    public private(set) var picture: Data? { willSet { willChange() } }
    /// Where that picture came from.
    private var source: PictureSource?
    /// The part of that picture that is looked at; nil for all of it.
    private var part: Part?
    /// The query of that picture.
    private var query: Query?
    /// How many pictures of this case were refused for their quality.
    private var refusals = 0
    /// Whether the last picture was refused for its quality, so that the same one is no use.
    private var isRefused = false
    /// A picture that another app shared and that was not classified yet.
    public private(set) var shared: Data? { willSet { willChange() } }
    /// Whether `proceed` was called before all required questions were answered.
    public private(set) var isIncomplete = false { willSet { willChange() } }
    /// What was typed for the site of the lesion on the body.
    public var site = "" { willSet { willChange() } }
    /// What was typed for the local shares of the labels, by their ids, in per cent.
    public private(set) var localShares: [String: String] = [:] { willSet { willChange() } }
    /// The findings at the local shares; nil until they are applied.
    public private(set) var localRows: [CliniciansPage.Row]? { willSet { willChange() } }
    /// Whether `adapt` was called with shares that do not sum to 100.
    public private(set) var isSharesWrong = false { willSet { willChange() } }

    public let texts: Texts
    /// Called before each change, on the main thread.
    public var willChange: () -> Void = {}

    private let modelPath: @Sendable (Topic) -> String
    private let decode: @Sendable (Data) throws -> Image?
    private var opened: (topic: Topic, classifier: Classifier)?
    private var work: Task<Void, Never>?

    /// - Parameters:
    ///   - modelPath: Gives the path of the model of a topic.
    ///   - decode: Decodes a picture that the library does not, or returns nil.
    public init(
        texts: Texts, modelPath: @escaping @Sendable (Topic) -> String,
        decode: @escaping @Sendable (Data) throws -> Image? = SystemPicture.decode
    ) {
        self.texts = texts
        self.modelPath = modelPath
        self.decode = decode
    }

    /// The last picture, where it is of use to look at it again.
    public var samePicture: Data? { isRefused ? nil : picture }

    // MARK: Actions of a person

    /// Begins a capture with a topic: opens its model, then shows its questions.
    public func choose(_ topic: Topic) {
        forget()
        pages = [.opening(topic)]
        start { flow in
            let manifest = try await flow.classifier(for: topic).manifest(language: flow.texts.language)
            return { $0.pages = [.questions(QuestionsPage(topic: topic, manifest: manifest, texts: $0.texts))] }
        } onError: { flow, kind in
            flow.fail(flow.texts.modelFailure(kind), isAboutPicture: false)
        }
    }

    /// Taps a danger sign: it is there, or it is not stated.
    public func tap(sign: String) {
        answer(sign, drafts[sign] == nil ? .yes : nil)
    }

    public func answer(_ question: String, _ draft: Draft?) {
        drafts[question] = draft
        isIncomplete = false
    }

    /// Leaves the questions for the picture, or for a result where the answers reject every picture.
    public func proceed() {
        guard case .questions(let page)? = pages.last else { return }
        isIncomplete = page.firstOpen(drafts) != nil
        guard !isIncomplete else { return }
        let (topic, query) = (page.topic, query(page, nil, nil))
        start { flow in
            let classifier = try await flow.classifier(for: topic)
            let reasons = try classifier.scopeReasons(query: query)
            guard !reasons.isEmpty else { return { $0.push(.picture(topic)) } }
            let manifest = try classifier.manifest(language: flow.texts.language)
            let outOfScope = OutOfScope(reasons: reasons, manifest: manifest, answers: query.answers)
            return { $0.push(.result($0.result(topic, outOfScope))) }
        } onError: { flow, kind in
            flow.push(.failed(FailurePage(text: flow.texts.modelFailure(kind), isAboutPicture: false)))
        }
    }

    /// Takes a picture, given as the bytes of its file. Asks for its part where the topic is cropped, else classifies
    /// the whole.
    public func look(at bytes: Data, from source: PictureSource) {
        guard let page = questionsPage, pages.last == .picture(page.topic) else { return }
        forgetPicture()
        (picture, self.source) = (bytes, source)
        if shared == bytes { shared = nil }
        if page.topic.isCropped {
            push(.crop(page.topic))
        } else {
            push(.working(page.topic))
            classify(bytes, page)
        }
    }

    /// Classifies a part of the picture; all of it where the part is nil, because the picture can't be shown.
    public func crop(to part: Part?) {
        guard case .crop(let topic)? = pages.last, let page = questionsPage, let picture else { return }
        self.part = part
        pages[pages.count - 1] = .working(topic)
        classify(picture, page)
    }

    /// Looks at the last picture again.
    public func lookAgain() {
        if let picture = samePicture { look(at: picture, from: source ?? .file) }
    }

    /// Shows that the chosen picture can't be read.
    public func pictureIsUnreadable() {
        guard case .picture? = pages.last else { return }
        push(.failed(FailurePage(text: texts(.errorIo), isAboutPicture: true)))
    }

    /// Takes a picture that another app shares, or nil where it can't be read. Ends the capture in either case, because
    /// it is of another picture.
    public func receive(_ bytes: Data?) {
        finish()
        shared = bytes
        if bytes == nil { push(.failed(FailurePage(text: texts(.errorIo), isAboutPicture: false))) }
    }

    public func openSlip() {
        guard case .result(let result)? = pages.last, result.hasSlip else { return }
        push(.slip(Slip(result, texts: texts)))
    }

    /// Goes back to take another picture of the same case.
    public func retake() {
        guard case .result(let result)? = pages.last, result.mayRetake else { return }
        back()
    }

    public func openClinicians() {
        guard case .result(let result)? = pages.last, let page = result.clinicians else { return }
        push(.clinicians(page))
    }

    public func setLocalShare(of label: String, _ text: String) {
        localShares[label] = text
        isSharesWrong = false
    }

    /// Looks at the same picture once more, for the probabilities at the local shares, or returns to the shares of the
    /// calibration where none is typed.
    public func adapt() {
        guard case .clinicians(let page)? = pages.last, let picture, var query else { return }
        guard localShares.values.contains(where: { !isBlank($0) }) else {
            (localRows, isSharesWrong) = (nil, false)
            return
        }
        let shares = LocalShares.parsed(localShares, labels: page.shares.map(\.id))
        isSharesWrong = shares == nil
        guard let shares else { return }
        query.prevalence = shares
        let (topic, adapted, decode) = (page.topic, query, decode)
        start { flow in
            let classifier = try await flow.classifier(for: topic)
            let report = try await report(of: classifier, on: picture, query: adapted, decode: decode)
            return { $0.localRows = CliniciansPage.rows(report, texts: $0.texts) }
        } onError: { flow, kind in
            flow.push(.failed(FailurePage(text: flow.texts.modelFailure(kind), isAboutPicture: false)))
        }
    }

    /// Goes back one page and stops the work that is running.
    public func back() {
        back(to: pages.count - 1)
    }

    /// Goes back until this many pages are left.
    public func back(to count: Int) {
        guard (0..<pages.count).contains(count) else { return }
        stop()
        pages.removeLast(pages.count - count)
        if pages.isEmpty { forget() }
    }

    /// Begins again at the questions of the same topic, without the picture and the answers.
    public func again() {
        guard let page = questionsPage else { return }
        finish()
        pages = [.questions(page)]
    }

    /// Ends the capture and forgets all of it, with the shared picture.
    public func finish() {
        stop()
        pages = []
        forget()
        shared = nil
    }

    /// Waits for the work that is running.
    public func settled() async {
        await work?.value
    }

    // MARK: While the app is in the background

    /// The capture as text, to be kept while the app is in the background; empty on the first screen. It has neither
    /// pictures nor work that is running.
    public var saved: String {
        guard !pages.isEmpty else { return "" }
        let saved = Saved(
            language: texts.language, pages: pages.filter(\.isLasting), drafts: drafts, site: site, refusals: refusals)
        let encoder = JSONEncoder()
        // With sorted keys the text of a flow stays the same until the flow changes.
        encoder.outputFormatting = .sortedKeys
        return (try? encoder.encode(saved)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Restores the capture that `saved` gave. Stays on the first screen where the text is of another language or
    /// version.
    public func restore(_ text: String) {
        guard pages.isEmpty, shared == nil,
            let saved = try? JSONDecoder().decode(Saved.self, from: Data(text.utf8)), saved.language == texts.language
        else { return }
        pages = saved.pages
        drafts = saved.drafts
        site = saved.site
        refusals = saved.refusals
    }

    // MARK: Work

    /// Classifies the part of a picture, then replaces the page of the work with the result.
    private func classify(_ bytes: Data, _ page: QuestionsPage) {
        let (topic, query, decode) = (page.topic, query(page, source, part), decode)
        self.query = query
        start { flow in
            let classifier = try await flow.classifier(for: topic)
            let manifest = try classifier.manifest(language: query.language)
            let report = try await report(of: classifier, on: bytes, query: query, decode: decode)
            return { flow in
                flow.isRefused = report.isRefusedForQuality
                if flow.isRefused { flow.refusals += 1 }
                flow.pages[flow.pages.count - 1] = .result(flow.result(topic, report, query, manifest))
            }
        } onError: { flow, kind in
            flow.fail(flow.texts.pictureFailure(kind), isAboutPicture: true)
        }
    }

    /// Runs work that takes a while, then changes the flow by its result, unless the work was stopped before.
    private func start(
        _ body: @escaping @MainActor (Flow) async throws -> @MainActor (Flow) -> Void,
        onError: @escaping @MainActor (Flow, ErrorKind) -> Void
    ) {
        stop()
        work = Task {
            do {
                let change = try await body(self)
                if !Task.isCancelled { change(self) }
            } catch {
                if !Task.isCancelled { onError(self, (error as? BedsideError)?.kind ?? .internal) }
            }
        }
    }

    private func stop() {
        work?.cancel()
        work = nil
    }

    private func classifier(for topic: Topic) async throws -> Classifier {
        if let opened, opened.topic == topic { return opened.classifier }
        opened = nil
        let classifier = try await openModel(modelPath(topic))
        opened = (topic, classifier)
        return classifier
    }

    // MARK: Pages

    private var questionsPage: QuestionsPage? {
        if case .questions(let page)? = pages.first { page } else { nil }
    }

    private func query(_ page: QuestionsPage, _ source: PictureSource?, _ part: Part?) -> Query {
        Query(
            language: texts.language, region: part?.region, answers: page.answers(drafts), source: source?.source,
            refusals: UInt32(refusals))
    }

    private func result(_ topic: Topic, _ report: Report, _ query: Query, _ manifest: Manifest) -> ResultPage {
        ResultPage(
            topic: topic, report: report, query: query, manifest: manifest, case: newCase(source, part), texts: texts)
    }

    private func result(_ topic: Topic, _ outOfScope: OutOfScope) -> ResultPage {
        ResultPage(topic: topic, outOfScope: outOfScope, case: newCase(nil, nil), texts: texts)
    }

    private func newCase(_ source: PictureSource?, _ part: Part?) -> Case {
        let (date, answers) = (Date(), questionsPage?.lines(drafts, texts: texts) ?? [])
        var random = SystemRandomNumberGenerator()
        return Case(
            number: caseNumber(on: date, using: &random), date: date, source: source, part: part, answers: answers)
    }

    private func push(_ page: Page) {
        pages.append(page)
    }

    /// Replaces the page whose work failed with a failure.
    private func fail(_ text: String, isAboutPicture: Bool) {
        pages[pages.count - 1] = .failed(FailurePage(text: text, isAboutPicture: isAboutPicture))
    }

    /// Forgets the picture, and what was made of it.
    private func forgetPicture() {
        (picture, source, part, query, isRefused) = (nil, nil, nil, nil, false)
        (localShares, localRows, isSharesWrong) = ([:], nil, false)
    }

    private func forget() {
        forgetPicture()
        drafts = [:]
        site = ""
        refusals = 0
        isIncomplete = false
    }
}

/// The parts of a flow that are kept while the app is in the background.
private struct Saved: Codable {
    let language: String
    let pages: [Page]
    let drafts: [String: Draft]
    let site: String
    let refusals: Int
}

extension Page {
    /// Whether the page can be shown without its work and its picture.
    fileprivate var isLasting: Bool {
        switch self {
        case .questions, .picture, .result, .clinicians, .slip: true
        case .opening, .crop, .working, .failed: false
        }
    }
}

/// Opens a model on a background thread, and runs its self-test, or a warm-up where it has no golden sample.
private func openModel(_ path: String) async throws -> Classifier {
    try await withCheckedThrowingContinuation { opened in
        DispatchQueue.global(qos: .userInitiated).async {
            opened.resume(
                with: Result {
                    let classifier = try Classifier.open(path: path)
                    if try classifier.selfTest() == nil { try classifier.warmUp() }
                    return classifier
                })
        }
    }
}

/// Classifies a picture. One that the library does not decode goes through `decode`.
private func report(
    of classifier: Classifier, on bytes: Data, query: Query, decode: @escaping @Sendable (Data) throws -> Image?
) async throws -> Report {
    do {
        return try await classifier.classifyInBackground(image: Image.fromBytes(bytes: bytes), query: query)
    } catch let error as BedsideError where error.kind == .unsupportedImage {
        guard let image = try await decoded(bytes, decode) else { throw error }
        return try await classifier.classifyInBackground(image: image, query: query)
    }
}

/// Decodes a picture on a background thread.
private func decoded(
    _ bytes: Data, _ decode: @escaping @Sendable (Data) throws -> Image?
) async throws -> Image? {
    try await withCheckedThrowingContinuation { decoded in
        DispatchQueue.global(qos: .userInitiated).async { decoded.resume(with: Result { try decode(bytes) }) }
    }
}
