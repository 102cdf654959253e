// What the tests compare the app with: the string catalogue, the models' manifests and the command's output.

import Foundation
import XCTest

@testable import BedsideDemoCore

/// The folder of the repository, which BEDSIDE_ROOT names. `ios/linux/test.sh` sets it.
let repository = URL(fileURLWithPath: ProcessInfo.processInfo.environment["BEDSIDE_ROOT"] ?? "../../..")

let languages = ["en", "uk"]

func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: repository.appendingPathComponent(name))
}

func json(_ bytes: Data) throws -> [String: Any] {
    try XCTUnwrap(JSONSerialization.jsonObject(with: bytes) as? [String: Any])
}

/// The app's string catalogue.
struct Catalogue: Sendable {
    /// The wordings by language and key.
    private let wordings: [String: [String: String]]
    let keys: Set<String>

    init() throws {
        let file = try json(bytes("ios/DemoApp/DemoApp/Localizable.xcstrings"))
        let strings = try XCTUnwrap(file["strings"] as? [String: [String: Any]])
        keys = Set(strings.keys)
        wordings = Dictionary(
            uniqueKeysWithValues: languages.map { language in
                (language, strings.compactMapValues { Catalogue.wording($0, language) })
            })
    }

    private static func wording(_ entry: [String: Any], _ language: String) -> String? {
        let localization = (entry["localizations"] as? [String: Any])?[language] as? [String: Any]
        return (localization?["stringUnit"] as? [String: String])?["value"]
    }

    func wording(_ key: String, _ language: String) -> String? {
        wordings[language]?[key]
    }

    /// A sentence with its arguments, filled in without the code under test.
    func sentence(_ key: String, _ language: String, _ arguments: String...) throws -> String {
        let wording = try XCTUnwrap(wording(key, language), "\(key), \(language)")
        guard !arguments.isEmpty else { return wording }
        XCTAssertEqual(wording.components(separatedBy: "$@").count - 1, arguments.count, key)
        return arguments.enumerated().reduce(wording) { text, argument in
            text.replacingOccurrences(of: "%\(argument.offset + 1)$@", with: argument.element)
        }.replacingOccurrences(of: "%%", with: "%")
    }

    func texts(_ language: String) -> Texts {
        Texts(language: language) { key in wording(key, language) ?? key }
    }
}

/// The manifest of a model, from the file that it was packed from.
struct ModelFile {
    let manifest: [String: Any]

    init(_ name: String) throws {
        manifest = try json(bytes("models/\(name)/manifest.json"))
    }

    /// The share of each label in the calibration data, by id.
    func shares() throws -> [String: Double] {
        let calibration = try XCTUnwrap(manifest["calibration"] as? [String: Any])
        let labels = try XCTUnwrap((manifest["output"] as? [String: Any])?["labels"] as? [[String: Any]])
        let ids = try labels.map { try XCTUnwrap($0["id"] as? String) }
        return Dictionary(uniqueKeysWithValues: zip(ids, try XCTUnwrap(calibration["prevalence"] as? [Double])))
    }

    func advice(_ level: String, _ language: String) throws -> String {
        try XCTUnwrap((manifest["advice"] as? [String: [String: String]])?[level]?[language])
    }

    func text(_ field: String, _ language: String) throws -> String {
        try XCTUnwrap((manifest[field] as? [String: String])?[language], field)
    }

    func question(_ id: String, _ language: String) throws -> String {
        let questions = try XCTUnwrap(manifest["scope"] as? [[String: Any]])
        let question = try XCTUnwrap(questions.first { $0["id"] as? String == id })
        return try XCTUnwrap((question["question"] as? [String: String])?[language])
    }
}

/// The line that `bedside classify --json` printed for one picture.
struct Expected {
    struct Finding {
        let label: String
        let name: String
        let probability: Double
        let operatingPoint: Double
        let isOver: Bool
    }

    let picture: String
    let kind: String
    let summary: String
    let triage: String
    let advice: String
    let decidedBy: String
    let findings: [Finding]
    let quality: [String: Double]
    let hasNovelty: Bool
    let model: String
    let version: String
    let hash: String
    let runtime: String

    private init(_ line: [String: Any]) throws {
        let verdict = try XCTUnwrap(line["verdict"] as? [String: Any])
        let model = try XCTUnwrap(line["model"] as? [String: String])
        picture = try XCTUnwrap(line["image"] as? String)
        kind = try XCTUnwrap(verdict["kind"] as? String)
        summary = try XCTUnwrap(line["summary"] as? String)
        triage = try XCTUnwrap(line["triage"] as? String)
        advice = try XCTUnwrap(line["advice"] as? String)
        findings = try XCTUnwrap(line["findings"] as? [[String: Any]]).map { finding in
            Finding(
                label: try XCTUnwrap(finding["label"] as? String),
                name: try XCTUnwrap(finding["name"] as? String),
                probability: try XCTUnwrap(finding["probability"] as? Double),
                operatingPoint: try XCTUnwrap(finding["operating_point"] as? Double),
                isOver: try XCTUnwrap(finding["over_operating_point"] as? Bool))
        }
        decidedBy = try XCTUnwrap(line["decided_by"] as? String)
        quality = try XCTUnwrap(line["quality"] as? [String: Double])
        hasNovelty = line["novelty"] is [String: Any]
        self.model = try XCTUnwrap(model["name"])
        version = try XCTUnwrap(model["version"])
        hash = try XCTUnwrap(model["graph_sha256"])
        runtime = try XCTUnwrap((line["runtime"] as? [String: String])?["version"])
    }

    /// One for each sample picture of a model, from the file that BEDSIDE_EXPECTED names. Those in Ukrainian are in the
    /// file of that name with `.uk` at its end.
    static func all(of model: String = "skin-lesion", _ language: String = "en") throws -> [Expected] {
        let name = ProcessInfo.processInfo.environment["BEDSIDE_EXPECTED"]
        let file = try XCTUnwrap(name, "ios/linux/test.sh writes that file") + (language == "uk" ? ".uk" : "")
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        let all = try lines.map { try Expected(json(Data($0.utf8))) }.filter { $0.model == model }
        // The samples, and of skin-lesion a picture that is less than urgent.
        XCTAssertEqual(all.count, model == "skin-lesion" ? 7 : 6)
        return all
    }

    /// The first sample whose verdict has this kind.
    static func first(ofKind kind: String, _ language: String = "en") throws -> Expected {
        try XCTUnwrap(all(of: "skin-lesion", language).first { $0.kind == kind }, "no sample is \(kind)")
    }
}

/// A small model in a new folder: a graph of `tests/golden/graphs`, 32 by 32 pixels and three scores, with a
/// manifest beside it.
final class TinyModel: Sendable {
    private let folder: URL
    var file: String { folder.appendingPathComponent("tiny.onnx").path }

    /// - Parameters:
    ///   - levels: The triage of each of the three labels.
    ///   - calibration: The manifest's calibration but for the graph's hash and the source.
    init(
        scope: [[String: Any]] = [], activation: String = "softmax", operatingPoint: Double = 0.3,
        levels: [String] = ["refer", "refer", "refer"], calibration: [String: Any]? = nil
    ) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("bedside-\(UUID().uuidString)")
        let labels = zip(["a", "b", "c"], levels).map { id, level in
            [
                "id": id, "name": ["en": id.uppercased()], "operating_point": operatingPoint, "triage": level,
            ] as [String: Any]
        }
        var manifest: [String: Any] = [
            "bedside": "1.0", "kind": "scores", "name": "tiny", "version": "0.0.1", "license": "CC0-1.0",
            "scope": scope,
            "input": [
                "color": "rgb", "width": 32, "height": 32, "resize": ["policy": "stretch"],
                "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            ] as [String: Any],
            "output": ["activation": activation, "labels": labels] as [String: Any],
        ]
        if let calibration {
            let origin = ["graph_sha256": tinyGraph, "fitted_on": "nothing"]
            manifest["calibration"] = calibration.merging(origin) { a, _ in a }
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try bytes("tests/golden/graphs/torchscript-17.onnx").write(to: URL(fileURLWithPath: file))
        try JSONSerialization.data(withJSONObject: manifest).write(to: folder.appendingPathComponent("model.json"))
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }
}

/// The SHA-256 of that graph, as hex.
private let tinyGraph = "6a80d232c85828634b3f7aa83a974d90d56048cd23bd871c42a3280d21f18bad"

/// The golden picture of the small graphs.
let goldenPicture = "tests/golden/graphs/picture.png"
