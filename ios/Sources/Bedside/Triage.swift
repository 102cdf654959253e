// The order of triage levels, and what a person should do at each. The types themselves are generated.

extension Triage: Comparable {
    /// Whether a level is less pressing than another.
    public static func < (a: Triage, b: Triage) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .noSign: 0
        case .unassessed: 1
        case .refer: 2
        case .urgent: 3
        }
    }
}

extension Advice {
    /// The sentence of a triage level.
    public func of(_ level: Triage) -> String {
        switch level {
        case .noSign: noSign
        case .unassessed: unassessed
        case .refer: refer
        case .urgent: urgent
        }
    }
}
