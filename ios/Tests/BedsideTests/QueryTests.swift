// Every field of a query, of a verdict and of a manifest crosses the border unchanged.

import Foundation
import XCTest

@testable import Bedside

final class QueryTests: XCTestCase {
    /// ONNX Runtime's probabilities of a, b and c for the golden picture (`tests/golden/graphs/cases.json`).
    private let expected = [0.8573658, 0.0913147, 0.0513195]

    /// A manifest with two optional scope questions and a calibration with a prevalence.
    private func manifest() throws -> [String: Any] {
        var manifest = TinyModel.manifest
        manifest["scope"] =
            [
                ["id": "ready", "question": ["en": "Ready?", "uk": "Готові?"]],
                ["id": "age", "min": 18.5, "max": 90],
            ] as [[String: Any]]
        let hash = try TinyModel().classifier().identity().graphSha256
        manifest["calibration"] = ["graph_sha256": hash, "prevalence": [0.5, 0.25, 0.25]] as [String: Any]
        return manifest
    }

    private lazy var calibrated = try! TinyModel(manifest: manifest()).classifier()

    private func report(_ query: Query) throws -> Report {
        try calibrated.classify(image: goldenPicture(), query: query)
    }

    private func labels(_ query: Query) throws -> [String] {
        try report(query).findings.map(\.label)
    }

    func testQueryFieldsAreAllTested() {
        let fields = Mirror(reflecting: Query()).children.compactMap(\.label)
        let tried = ["maxResults", "scoreThreshold", "allow", "deny"]  // testQueryListsAndThresholdsChooseTheFindings
        let others = ["language", "region", "prevalence", "answers", "cancel"]  // each has its own test
        XCTAssertEqual(fields, tried + others)
    }

    func testDefaultQueryGivesAllLabelsInEnglishWithOnnxRuntimesProbabilities() throws {
        let findings = try TinyModel().classifier().classify(image: goldenPicture()).findings
        XCTAssertEqual(findings.map(\.name), ["Label A", "Label B", "Label C"])
        for (finding, probability) in zip(findings, expected) {
            XCTAssertEqual(Double(finding.probability), probability, accuracy: 1e-4)
        }
        let scores = try TinyModel().classifier().scores(image: goldenPicture())
        XCTAssertEqual(scores.count, 3)
        for (score, probability) in zip(scores, expected) {
            XCTAssertEqual(Double(score), probability, accuracy: 1e-4)
        }
    }

    func testQueryListsAndThresholdsChooseTheFindings() throws {
        XCTAssertEqual(try labels(Query()), ["a", "b", "c"])
        XCTAssertEqual(try labels(Query(maxResults: 1)), ["a"])
        XCTAssertEqual(try labels(Query(maxResults: 0)), [])
        XCTAssertEqual(try labels(Query(scoreThreshold: 0.09)), ["a", "b"])
        XCTAssertEqual(try labels(Query(allow: ["c", "b"])), ["b", "c"])
        XCTAssertEqual(try labels(Query(deny: ["a"])), ["b", "c"])
        let none = try report(Query(maxResults: 0))
        XCTAssertEqual(none.verdict, .single(label: LabelName(id: "a", name: "Label A")))
        XCTAssertEqual(none.triage, .urgent)
        XCTAssertNoThrow(try calibrated.check(query: Query(maxResults: 0)))
    }

    func testQueryLanguageFallsBackToEnglish() throws {
        let names = try report(Query(language: "uk-UA")).findings.map(\.name)
        XCTAssertEqual(names, ["Мітка А", "Label B", "Label C"])
    }

    func testQueryRegionGivesTheCroppedPicturesFindings() throws {
        let classifier = try TinyModel().classifier()
        let whole = Picture.slope(width: 32, height: 20)
        let part = whole.stored(width: 20, height: 8) { ($0 + 8, $1 + 10) }
        let region = Query(region: Region(left: 0.25, top: 0.5, width: 0.625, height: 0.4))
        let wanted = bits(try classifier.classifyFrame(part.rgb, format: part.rgbFormat()))
        XCTAssertEqual(
            bits(try classifier.classifyFrame(whole.rgb, format: whole.rgbFormat(), query: region)), wanted)
        XCTAssertNotEqual(bits(try classifier.classifyFrame(whole.rgb, format: whole.rgbFormat())), wanted)
    }

    func testQueryPrevalenceReweightsFindingsAndNotTheVerdict() throws {
        let report = try report(Query(prevalence: ["a": 0.01, "b": 0.59, "c": 0.4]))
        // Each probability is multiplied by its new share over its old one, then divided by their sum.
        let (a, b, c) = (expected[0] * 0.01 / 0.5, expected[1] * 0.59 / 0.25, expected[2] * 0.4 / 0.25)
        XCTAssertEqual(report.findings.map(\.label), ["b", "c", "a"])
        for (finding, weight) in zip(report.findings, [b, c, a]) {
            XCTAssertEqual(Double(finding.probability), weight / (a + b + c), accuracy: 1e-4, finding.label)
        }
        XCTAssertEqual(report.verdict, .single(label: LabelName(id: "a", name: "Label A")))
    }

    func testQueryAnswersDecideWhetherThereIsAVerdict() throws {
        let outside = Query(language: "uk", answers: ["ready": .no, "age": .number(value: 90.5)])
        guard case .rejected(let reasons) = try report(outside).verdict else { return XCTFail("not rejected") }
        XCTAssertEqual(reasons.map(\.kind), [.scopeNo, .scopeOutOfRange])
        XCTAssertEqual(reasons.map(\.id), ["ready", "age"])
        XCTAssertEqual(reasons.map(\.question), ["Готові?", "age"])
        XCTAssert(reasons[0].message.contains("Програма не для таких знімків"), reasons[0].message)
        XCTAssert(reasons[1].message.contains("(18.5–90)"), reasons[1].message)
        let inside = Query(answers: ["ready": .yes, "age": .number(value: 18.5)])
        XCTAssertEqual(try report(inside).verdict, .single(label: LabelName(id: "a", name: "Label A")))
    }

    func testQueryWithUsedCancelHandleIsCancelled() throws {
        let handle = try CancelHandle()
        XCTAssertEqual(try labels(Query(cancel: handle)), ["a", "b", "c"])
        try handle.cancel()
        assertThrows(.cancelled) { try report(Query(cancel: handle)) }
    }

    func testSigmoidModelGivesSeveralLabelsOrNone() throws {
        let several = try sigmoid(operatingPoint: 0)
        let names = ["a", "b", "c"].map { LabelName(id: $0, name: "Label \($0)") }
        XCTAssertEqual(several.verdict, .several(labels: names))
        XCTAssertEqual(several.triage, .refer, "several labels give at least this triage")
        XCTAssertEqual(several.findings.map(\.operatingPoint), [0, 0, 0])
        XCTAssertEqual(several.findings.map(\.overOperatingPoint), [true, true, true])
        let none = try sigmoid(operatingPoint: 1)
        XCTAssertEqual(none.verdict, .noFinding)
        XCTAssertEqual(none.triage, .noSign)
        XCTAssertEqual(none.findings.map(\.operatingPoint), [1, 1, 1])
        XCTAssertEqual(none.findings.map(\.overOperatingPoint), [false, false, false])
    }

    /// The report of a model whose labels do not exclude each other, with this operating point for each.
    private func sigmoid(operatingPoint: Int) throws -> Report {
        let labels = ["a", "b", "c"].map { id in
            ["id": id, "name": ["en": "Label \(id)"], "operating_point": operatingPoint, "triage": "no_sign"]
                as [String: Any]
        }
        var manifest = TinyModel.manifest
        manifest["output"] = ["activation": "sigmoid", "labels": labels] as [String: Any]
        return try TinyModel(manifest: manifest).classifier().classify(image: goldenPicture())
    }

    func testManifestFieldsEqualWhatWasWritten() throws {
        var written = try manifest()
        written["title"] = ["en": "A title", "uk": "Назва"]
        written["intended_use"] = ["en": "For tests", "uk": "Для тестів"]
        written["not_for"] = ["en": "For nobody", "uk": "Ні для кого"]
        let classifier = try TinyModel(manifest: written).classifier()
        let english = try classifier.manifest()
        let wanted = Manifest(
            name: "tiny", version: "0.0.1", license: "CC0-1.0", title: "A title", intendedUse: "For tests",
            notFor: "For nobody",
            scope: [
                ScopeQuestion(id: "ready", question: "Ready?", required: false, min: nil, max: nil),
                ScopeQuestion(id: "age", question: "age", required: false, min: 18.5, max: 90),
            ],
            labels: [
                Label(id: "a", name: "Label A", operatingPoint: 0.3, triage: .urgent),
                Label(id: "b", name: "Label B", operatingPoint: 0.5, triage: .noSign),
                Label(id: "c", name: "Label C", operatingPoint: 0.5, triage: .refer),
            ], json: english.json)
        XCTAssertEqual(english, wanted)
        let json = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(english.json.utf8)) as? [String: Any])
        for field in ["title", "intended_use", "not_for"] {
            XCTAssertEqual(json[field] as? [String: String], written[field] as? [String: String], field)
        }
        let ukrainian = try classifier.manifest(language: "uk")
        XCTAssertEqual(
            [ukrainian.title, ukrainian.intendedUse, ukrainian.notFor, ukrainian.scope[0].question],
            ["Назва", "Для тестів", "Ні для кого", "Готові?"])
        XCTAssertEqual(ukrainian.labels[0].name, "Мітка А")
    }

    func testScopeQuestionFieldsEqualWhatWasWritten() throws {
        var written = TinyModel.manifest
        written["scope"] = [["id": "first", "required": true], ["id": "most", "max": 7]] as [[String: Any]]
        let scope = try TinyModel(manifest: written).classifier().manifest().scope
        XCTAssertEqual(
            scope,
            [
                ScopeQuestion(id: "first", question: "first", required: true, min: nil, max: nil),
                ScopeQuestion(id: "most", question: "most", required: false, min: nil, max: 7),
            ])
    }

    func testClassifierLoadTimesGrowFromReadToOptimize() throws {
        let model = try TinyModel()
        let times = try (0..<10).map { _ in try model.classifier().loadTimesMs() }
        // The minimum of ten runs, which a busy machine hardly changes.
        let read = try XCTUnwrap(times.map { $0.read }.min())
        let imported = try XCTUnwrap(times.map { $0.import }.min())
        let optimized = try XCTUnwrap(times.map { $0.optimize }.min())
        XCTAssertGreaterThan(read, 0)
        XCTAssertLessThan(read, imported)
        XCTAssertLessThan(imported, optimized)
    }
}
