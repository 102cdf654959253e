// The files of the repository that tests use, and small models made of them.

import Foundation
import XCTest

@testable import Bedside

/// The folder of the repository, which BEDSIDE_ROOT names. `ios/linux/test.sh` sets it.
let repository = URL(fileURLWithPath: ProcessInfo.processInfo.environment["BEDSIDE_ROOT"] ?? "../")

/// The path of a file of the repository.
func path(_ name: String) -> String {
    repository.appendingPathComponent(name).path
}

/// The bytes of a file of the repository.
func bytes(_ name: String) throws -> Data {
    try Data(contentsOf: repository.appendingPathComponent(name))
}

let shippedModel = path("models/skin-lesion/model.onnx")
/// The shipped model, opened once, because that takes long in a library without optimization.
private let opened = Result { try Classifier.open(path: shippedModel) }
let samples = ["ISIC_0012086", "ISIC_0012092", "ISIC_0012095", "ISIC_0012134", "ISIC_0012258", "ISIC_0012356"]
    .map { "models/samples/\($0).jpg" } + ["tests/pictures/ISIC_0012090.jpg"]
/// A query that answers the shipped model's scope question.
let dermatoscopeQuery = Query(answers: ["dermatoscope": .yes, "mole_like": .yes])

/// The classifier of the shipped model that all tests share.
func shippedClassifier() throws -> Classifier {
    try opened.get()
}

/// The golden picture of the tiny graphs, 32 by 32.
func goldenPicture() throws -> Image {
    try Image.fromBytes(bytes: bytes("tests/golden/graphs/picture.png"))
}

/// A small model in a new folder: a graph of `tests/golden/graphs` with `model.json` beside it.
final class TinyModel {
    let folder: URL
    var file: String { folder.appendingPathComponent("tiny.onnx").path }

    /// Copies a graph, and writes this manifest beside it unless it is nil. The defaults are those of
    /// `tests/tiny/mod.rs`.
    init(graph: String = "torchscript-17.onnx", manifest: [String: Any]? = TinyModel.manifest) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("bedside-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try bytes("tests/golden/graphs/\(graph)").write(to: URL(fileURLWithPath: file))
        if let manifest {
            let json = try JSONSerialization.data(withJSONObject: manifest)
            try json.write(to: folder.appendingPathComponent("model.json"))
        }
    }

    deinit {
        try? FileManager.default.removeItem(at: folder)
    }

    func classifier(options: Options = Options()) throws -> Classifier {
        try Classifier.open(path: file, options: options)
    }

    /// The manifest of a graph that takes 32 by 32 pictures and gives three scores.
    static var manifest: [String: Any] {
        [
            "bedside": "1.0", "kind": "scores", "name": "tiny", "version": "0.0.1", "license": "CC0-1.0",
            "input": [
                "color": "rgb", "width": 32, "height": 32, "resize": ["policy": "stretch"],
                "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225],
            ] as [String: Any],
            "output": [
                "activation": "softmax",
                "labels": [
                    ["id": "a", "name": ["en": "Label A", "uk": "Мітка А"], "operating_point": 0.3, "triage": "urgent"],
                    ["id": "b", "name": ["en": "Label B"], "triage": "no_sign"],
                    ["id": "c", "name": ["en": "Label C"], "triage": "refer"],
                ] as [[String: Any]],
            ] as [String: Any],
        ]
    }
}

/// Fails unless `call` throws a `BedsideError` of this kind, whose message contains all of `words`.
func assertThrows<T>(
    _ kind: ErrorKind, saying words: String..., file: StaticString = #filePath, line: UInt = #line,
    _ call: () throws -> T
) {
    XCTAssertThrowsError(try call(), file: file, line: line) { error in
        XCTAssertEqual((error as? BedsideError)?.kind, kind, "\(error)", file: file, line: line)
        for word in words {
            XCTAssert(error.localizedDescription.contains(word), error.localizedDescription, file: file, line: line)
        }
    }
}

/// The bits of each finding's probability, by label.
func bits(_ report: Report) -> [String: UInt32] {
    Dictionary(uniqueKeysWithValues: report.findings.map { ($0.label, $0.probability.bitPattern) })
}
