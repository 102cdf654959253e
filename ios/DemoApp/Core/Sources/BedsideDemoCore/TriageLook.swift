// How a triage level looks and reads: a word, an icon and a colour, so that none of them stands alone.

import Bedside

public enum TriageLook: String, CaseIterable, Codable, Sendable {
    case routine
    case refer
    case urgent
    case `repeat`

    /// What a colour is for. There is none that reassures.
    public enum ColorRole: Sendable {
        case neutral
        case attention
        case alarm
        case none
    }

    init(_ triage: Triage) {
        switch triage {
        case .routine: self = .routine
        case .refer: self = .refer
        case .urgent: self = .urgent
        case .repeat: self = .repeat
        }
    }

    public var word: Key {
        switch self {
        case .routine: .triageRoutine
        case .refer: .triageRefer
        case .urgent: .triageUrgent
        case .repeat: .triageRepeat
        }
    }

    public var advice: Key {
        switch self {
        case .routine: .triageRoutineAdvice
        case .refer: .triageReferAdvice
        case .urgent: .triageUrgentAdvice
        case .repeat: .triageRepeatAdvice
        }
    }

    /// The name of an SF Symbol of iOS 16.
    public var symbol: String {
        switch self {
        case .routine: "stethoscope"
        case .refer: "arrow.right.circle.fill"
        case .urgent: "exclamationmark.triangle.fill"
        case .repeat: "arrow.counterclockwise"
        }
    }

    public var color: ColorRole {
        switch self {
        case .routine: .neutral
        case .refer: .attention
        case .urgent: .alarm
        case .repeat: .none
        }
    }
}
