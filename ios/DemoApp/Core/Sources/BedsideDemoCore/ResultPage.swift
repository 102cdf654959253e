// A result as texts: what to do, and why. It has no probabilities, which are on the page for clinicians.

import Bedside
import Foundation

/// The result of a picture, or of answers that reject every picture.
public struct ResultPage: Hashable, Codable, Sendable {
    public let topic: Topic
    public let `case`: Case
    public let triage: TriageLook
    /// What a person should do.
    public let advice: String
    public let verdict: String
    /// The danger signs that were stated.
    public let danger: [String]
    /// Whether the triage is that of a danger sign, not that of the picture.
    public let isByDanger: Bool
    /// Why there is no result, and what to do.
    public let reasons: [String]
    /// What to know of the picture.
    public let warnings: [String]
    /// Whether a name may be written in the picture, so that the slip goes without it.
    public let mayShowName: Bool
    /// Whether the picture was refused in a way that another picture of the camera may mend.
    public let mayRetake: Bool
    /// Nil where the answers rejected every picture, so that the model did not run.
    public let clinicians: CliniciansPage?

    /// Whether a picture was classified. The picture is not kept while the app is in the background.
    public var hadPicture: Bool { clinicians != nil }
    /// Whether there is something to refer with.
    public var hasSlip: Bool { triage == .refer || triage == .urgent }
    /// Whether the person decides without the program.
    public var isUnassessed: Bool { triage == .unassessed }

    init(topic: Topic, report: Report, query: Query, manifest: Manifest, case: Case, texts: Texts) {
        self.topic = topic
        self.case = `case`
        triage = TriageLook(report.triage)
        advice = report.advice
        verdict = report.summary
        danger = report.danger.map(\.question)
        isByDanger = report.decidedBy == .danger
        reasons = report.verdict.reasons.map(\.message)
        warnings = report.warnings.map(\.message)
        mayShowName = report.warnings.contains { $0.kind == .burnedIn }
        mayRetake = report.isRefusedForQuality && query.source == .camera && query.refusals == 0
        clinicians = CliniciansPage(topic: topic, report: report, manifest: manifest, texts: texts)
    }

    /// The result where the answers reject every picture.
    init(topic: Topic, outOfScope: OutOfScope, case: Case, texts: Texts) {
        self.topic = topic
        self.case = `case`
        triage = TriageLook(outOfScope.triage)
        advice = outOfScope.advice
        verdict = texts(.verdictRejected)
        danger = outOfScope.danger.map(\.question)
        isByDanger = !danger.isEmpty
        reasons = outOfScope.reasons.map(\.message)
        warnings = []
        mayShowName = false
        mayRetake = false
        clinicians = nil
    }
}

/// What a slip says of a case besides its result.
public struct Case: Hashable, Codable, Sendable {
    public let number: String
    public let date: Date
    /// Nil where no picture was classified.
    public let source: PictureSource?
    /// The part of the picture that was classified; nil where it was all of it, or no picture.
    public let part: Part?
    /// The questions about the picture and the person, each with its answer.
    public let answers: [String]
}

/// Why the answers reject every picture, and what a person should do.
struct OutOfScope {
    let reasons: [Reason]
    /// The danger signs in the answers.
    let danger: [ScopeQuestion]
    /// That of the most pressing danger sign, if any.
    let triage: Triage
    let advice: String

    init(reasons: [Reason], manifest: Manifest, answers: [String: Answer]) {
        self.reasons = reasons
        danger = manifest.scope.filter { $0.role == .danger && answers[$0.id] == .yes }
        triage = danger.compactMap(\.level).max() ?? .unassessed
        advice = manifest.advice.of(triage)
    }
}

extension Verdict {
    fileprivate var reasons: [Reason] {
        if case .rejected(let reasons) = self { reasons } else { [] }
    }
}

extension Report {
    /// Whether the picture was rejected for its quality.
    var isRefusedForQuality: Bool { verdict.reasons.contains { $0.kind.isQuality } }
}

extension ReasonKind {
    fileprivate var isQuality: Bool {
        switch self {
        case .tooSmall, .tooDark, .tooBright, .lowContrast, .outOfFocus, .colorless, .colored: true
        case .scopeUnanswered, .scopeNo, .scopeOutOfRange, .source, .novel: false
        }
    }
}
