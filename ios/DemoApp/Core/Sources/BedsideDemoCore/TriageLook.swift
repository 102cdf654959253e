// The word, the icon and the colour of each triage level. They are shown together, so that none of them is needed
// alone.

import Bedside

/// The raw value is the level's name in reports and in the copy deck.
public enum TriageLook: String, CaseIterable, Codable, Sendable {
    case noSign = "no_sign"
    case refer
    case urgent
    case unassessed

    /// The role of a colour. No role reassures.
    public enum ColorRole: Sendable {
        case neutral
        case attention
        case alarm
        case none
    }

    init(_ triage: Triage) {
        switch triage {
        case .noSign: self = .noSign
        case .refer: self = .refer
        case .urgent: self = .urgent
        case .unassessed: self = .unassessed
        }
    }

    public var word: Key {
        switch self {
        case .noSign: .triageNoSign
        case .refer: .triageRefer
        case .urgent: .triageUrgent
        case .unassessed: .triageUnassessed
        }
    }

    /// The name of an SF Symbol of iOS 16.
    public var symbol: String {
        switch self {
        case .noSign: "stethoscope"
        case .refer: "arrow.right.circle.fill"
        case .urgent: "exclamationmark.triangle.fill"
        case .unassessed: "arrow.counterclockwise"
        }
    }

    public var color: ColorRole {
        switch self {
        case .noSign: .neutral
        case .refer: .attention
        case .urgent: .alarm
        case .unassessed: .none
        }
    }
}
