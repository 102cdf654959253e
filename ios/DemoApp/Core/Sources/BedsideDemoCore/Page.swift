// The pages of all screens but the first, as values that can be compared, saved and tested.

import Bedside

public enum Page: Hashable, Codable, Sendable {
    case opening(Topic)
    case questions(QuestionsPage)
    case picture(Topic)
    case working(Topic)
    case result(ResultPage)
    case slip(Slip)
    case failed(FailurePage)
}

/// The model's intended use and its questions.
public struct QuestionsPage: Hashable, Codable, Sendable {
    public let topic: Topic
    /// Empty where the manifest does not state it.
    public let madeFor: String
    /// Empty where the manifest does not state it.
    public let notFor: String
    public let questions: [Question]

    init(topic: Topic, manifest: Manifest, texts: Texts) {
        self.topic = topic
        madeFor = manifest.intendedUse
        notFor = manifest.notFor
        questions = manifest.scope.map { Question($0, texts: texts) }
    }

    /// The first question that keeps the capture from going on.
    public func firstOpen(_ drafts: [String: Draft]) -> Question? {
        questions.first { $0.isOpen(drafts[$0.id]) }
    }

    func answers(_ drafts: [String: Draft]) -> [String: Answer] {
        var answers: [String: Answer] = [:]
        for question in questions { answers[question.id] = question.answer(drafts[question.id]) }
        return answers
    }
}

/// A result as texts.
public struct ResultPage: Hashable, Codable, Sendable {
    /// A label and its frequency.
    public struct Row: Hashable, Codable, Sendable {
        public let name: String
        public let frequency: String
        /// Nil where the label is below its operating point.
        public let mark: String?
    }

    public let topic: Topic
    public let caseNumber: String
    public let triage: TriageLook
    /// What a person should do.
    public let advice: String
    public let verdict: String
    /// Why there is no result, and what to do.
    public let reasons: [String]
    public let rows: [Row]
    /// Nil where the answers rejected every picture, so that the model did not run.
    public let time: String?
    public let model: String?

    /// Whether a picture was classified. The picture is not kept while the app is in the background.
    public var hadPicture: Bool { model != nil }

    init(topic: Topic, report: Report, caseNumber: String, texts: Texts) {
        self.topic = topic
        self.caseNumber = caseNumber
        triage = TriageLook(report.triage)
        advice = report.advice
        verdict = report.summary
        reasons = report.verdict.reasons.map(\.message)
        rows = report.findings.map { finding in
            Row(
                name: finding.name, frequency: texts.frequency(finding.probability),
                mark: finding.overOperatingPoint ? texts(.findingsOver) : nil)
        }
        time = texts.time(report.timingsMs)
        model = texts.identity(report)
    }

    /// The result where the answers reject every picture.
    init(topic: Topic, outOfScope: OutOfScope, caseNumber: String, texts: Texts) {
        self.topic = topic
        self.caseNumber = caseNumber
        triage = TriageLook(outOfScope.triage)
        advice = outOfScope.advice
        verdict = texts(.verdictRejected)
        reasons = outOfScope.reasons.map(\.message)
        rows = []
        time = nil
        model = nil
    }
}

/// Why the answers reject every picture, and what a person should do.
struct OutOfScope {
    let reasons: [Reason]
    /// That of the most pressing danger sign in the answers, if any.
    let triage: Triage
    let advice: String

    init(reasons: [Reason], manifest: Manifest, answers: [String: Answer]) {
        self.reasons = reasons
        triage = manifest.scope.filter { answers[$0.id] == .yes }.compactMap(\.level).max() ?? .unassessed
        advice = manifest.advice.of(triage)
    }
}

extension Verdict {
    fileprivate var reasons: [Reason] {
        if case .rejected(let reasons) = self { reasons } else { [] }
    }
}

public struct FailurePage: Hashable, Codable, Sendable {
    public let text: String
    /// Whether another picture may help.
    public let isAboutPicture: Bool
}
