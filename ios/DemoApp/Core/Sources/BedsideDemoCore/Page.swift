// The pages of all screens but the first, as values that can be compared, saved and tested.

import Bedside

public enum Page: Hashable, Codable, Sendable {
    case opening(Topic)
    case questions(QuestionsPage)
    case picture(Topic)
    case crop(Topic)
    case working(Topic)
    case result(ResultPage)
    case clinicians(CliniciansPage)
    case slip(Slip)
    case failed(FailurePage)
}

/// The model's intended use, its danger signs and its questions.
public struct QuestionsPage: Hashable, Codable, Sendable {
    public let topic: Topic
    /// Empty where the manifest does not state it.
    public let madeFor: String
    /// Empty where the manifest does not state it.
    public let notFor: String
    /// The danger signs, which come first.
    public let signs: [Question]
    /// The other questions.
    public let questions: [Question]

    init(topic: Topic, manifest: Manifest, texts: Texts) {
        self.topic = topic
        madeFor = manifest.intendedUse
        notFor = manifest.notFor
        let all = manifest.scope.map { Question($0, topic: topic, texts: texts) }
        signs = all.filter { $0.kind == .sign }
        questions = all.filter { $0.kind != .sign }
    }

    /// The first question that keeps the capture from going on.
    public func firstOpen(_ drafts: [String: Draft]) -> Question? {
        questions.first { $0.isOpen(drafts[$0.id]) }
    }

    func answers(_ drafts: [String: Draft]) -> [String: Answer] {
        var answers: [String: Answer] = [:]
        for question in signs + questions { answers[question.id] = question.answer(drafts[question.id]) }
        return answers
    }

    /// The questions that are not danger signs, each with its answer, where it has one.
    func lines(_ drafts: [String: Draft], texts: Texts) -> [String] {
        questions.compactMap { $0.line(drafts[$0.id], texts: texts) }
    }
}

public struct FailurePage: Hashable, Codable, Sendable {
    public let text: String
    /// Whether another picture may help.
    public let isAboutPicture: Bool
}
