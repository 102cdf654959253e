// The shares of the shown labels in the data that a model was calibrated on.

import Bedside
import Foundation

extension Manifest {
    /// The share of each shown label, 0 to 1, in the order of `shownLabels`. That of a group is the sum of its members'
    /// shares. Empty where the manifest does not state them.
    var shownShares: [Float] {
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(json.utf8)),
            let shares = document.calibration?.prevalence, shares.count == labels.count
        else { return [] }
        let share = Dictionary(zip(labels.map(\.id), shares)) { first, _ in first }
        let members = Dictionary((document.output.groups ?? []).map { ($0.id, $0.labels) }) { first, _ in first }
        return shownLabels.map { label in
            (members[label.id] ?? [label.id]).compactMap { share[$0] }.reduce(0, +)
        }
    }
}

/// The fields of a manifest that this file reads.
private struct Document: Decodable {
    struct Calibration: Decodable {
        let prevalence: [Float]?
    }

    struct Output: Decodable {
        let groups: [Group]?
    }

    struct Group: Decodable {
        let id: String
        let labels: [String]
    }

    let calibration: Calibration?
    let output: Output
}
