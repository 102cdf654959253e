// The numbers behind a result, for clinicians.

import Bedside

/// The findings of a picture with their probabilities, the shares that these assume, and the measures of the picture.
public struct CliniciansPage: Hashable, Codable, Sendable {
    /// A label with its probability and its operating point.
    public struct Row: Hashable, Codable, Sendable {
        public let name: String
        public let numbers: String
        /// Nil where the label is below its operating point.
        public let mark: String?
    }

    /// The share of a label in the data that the probabilities were fitted on.
    public struct Share: Hashable, Codable, Sendable, Identifiable {
        public let id: String
        /// The name and the share.
        public let line: String
        /// The label of the field for the local share, with its unit.
        public let field: String
    }

    public let topic: Topic
    /// What decided the triage.
    public let decidedBy: String
    /// Empty where the picture was rejected.
    public let rows: [Row]
    /// Empty where the model does not state them: the probabilities can't be adapted to other shares then.
    public let shares: [Share]
    public let quality: String?
    /// Nil where the model does not measure it, and where the picture was rejected before.
    public let novelty: String?
    public let time: String
    public let model: String

    /// Whether the probabilities can be adapted to local shares.
    public var isAdaptable: Bool { !rows.isEmpty && !shares.isEmpty }

    init(topic: Topic, report: Report, manifest: Manifest, texts: Texts) {
        self.topic = topic
        decidedBy = texts(report.decidedBy.sentence)
        rows = Self.rows(report, texts: texts)
        shares = zip(manifest.shownLabels, manifest.shownShares).map { label, share in
            Share(
                id: label.id, line: texts(.cliniciansShare, label.name, texts.percent(share)),
                field: texts(.cliniciansField, label.name))
        }
        quality = report.quality.map(texts.quality)
        novelty = report.novelty.map(texts.novelty)
        time = texts.time(report.timingsMs)
        model = texts.identity(report)
    }

    static func rows(_ report: Report, texts: Texts) -> [Row] {
        report.findings.map { finding in
            Row(
                name: finding.name,
                numbers: texts(
                    .cliniciansFinding, texts.percent(finding.probability), texts.percent(finding.operatingPoint)),
                mark: finding.overOperatingPoint ? texts(.cliniciansOver) : nil)
        }
    }
}

extension Texts {
    fileprivate func quality(_ quality: Quality) -> String {
        let measures = [
            quality.focus, quality.dark, quality.bright, quality.contrast, quality.color, quality.size,
        ].map { decimal($0, digits: 2) }
        return self(
            .cliniciansQuality, measures[0], measures[1], measures[2], measures[3], measures[4], measures[5])
    }

    fileprivate func novelty(_ novelty: Novelty) -> String {
        let levels = [novelty.value, novelty.soft, novelty.hard].map { decimal($0, digits: 2) }
        return self(.cliniciansNovelty, levels[0], levels[1], levels[2])
    }
}

/// The shares that a person types for the labels, in per cent.
enum LocalShares {
    /// How much the sum may differ from 100, because each share may be rounded.
    private static let rounding = 0.5

    /// The shares as fractions, by label; nil where one is missing or not from 0 to 100, or their sum is not 100.
    static func parsed(_ typed: [String: String], labels: [String]) -> [String: Float]? {
        let values = labels.compactMap { typed[$0].flatMap(number) }
        let sum = values.reduce(0, +)
        guard values.count == labels.count, values.allSatisfy({ (0...100).contains($0) }), abs(sum - 100) <= rounding
        else { return nil }
        return Dictionary(uniqueKeysWithValues: zip(labels, values.map { Float($0 / sum) }))
    }
}

extension DecidedBy {
    fileprivate var sentence: Key {
        switch self {
        case .danger: .cliniciansDecidedDanger
        case .scope: .cliniciansDecidedScope
        case .quality: .cliniciansDecidedQuality
        case .repeatedQuality: .cliniciansDecidedRepeatedQuality
        case .novelty: .cliniciansDecidedNovelty
        case .label: .cliniciansDecidedLabel
        case .action: .cliniciansDecidedAction
        case .undecided: .cliniciansDecidedUndecided
        case .noSignNotShown: .cliniciansDecidedNoSignNotShown
        case .uncalibrated: .cliniciansDecidedUncalibrated
        }
    }
}
