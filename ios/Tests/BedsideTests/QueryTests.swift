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
        // Each has its own test.
        let others = ["language", "region", "prevalence", "answers", "source", "refusals", "explain", "cancel"]
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
        XCTAssertEqual(none.verdict, .single(label: LabelName(id: "a", name: "Label A", level: .urgent)))
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
        XCTAssertEqual(report.verdict, .single(label: LabelName(id: "a", name: "Label A", level: .urgent)))
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
        XCTAssertEqual(try report(inside).verdict, .single(label: LabelName(id: "a", name: "Label A", level: .urgent)))
    }

    func testPoorPictureIsAskedForAgainOnceAndFromACameraOnly() throws {
        var manifest = TinyModel.manifest
        let hash = try TinyModel().classifier().identity().graphSha256
        manifest["calibration"] = ["graph_sha256": hash, "quality": ["size": ["min": 1000]]] as [String: Any]
        let classifier = try TinyModel(manifest: manifest).classifier()
        for (query, triage, decider, words): (Query, Triage, DecidedBy, String) in [
            (Query(source: .camera), .unassessed, .quality, "Take it again"),
            (Query(source: .file), .unassessed, .quality, "examine without"),
            (Query(source: .camera, refusals: 1), .refer, .repeatedQuality, "examine without"),
        ] {
            let report = try classifier.classify(image: goldenPicture(), query: query)
            guard case .rejected(let reasons) = report.verdict else { return XCTFail(report.text) }
            XCTAssertEqual(reasons.map(\.kind), [.tooSmall])
            XCTAssert(reasons[0].message.contains(words), reasons[0].message)
            XCTAssertEqual(report.triage, triage)
            XCTAssertEqual(report.decidedBy, decider)
            // The golden picture and the input of the model have 32 pixels a side.
            XCTAssertEqual(report.quality?.size, 1)
        }
    }

    func testHeatmapIsThatOfTheJsonAndCanBeDrawn() throws {
        struct Written: Decodable {
            struct Map: Decodable {
                let values: [Float]
                let frame: [[Double]]
                let max: Float
                let evidence: Bool
            }
            let heatmap: Map
        }
        let classifier = try TinyModel().classifier()
        let picture = try goldenPicture()
        let query = Query(explain: Explain(label: "b", method: .occlusion))
        let report = try classifier.classify(image: picture, query: query)
        let written = try JSONDecoder().decode(Written.self, from: Data(report.json.utf8)).heatmap
        let heatmap = try XCTUnwrap(report.heatmap)
        XCTAssertEqual(heatmap.label, "b")
        XCTAssertEqual(heatmap.method, .occlusion)
        XCTAssertEqual(heatmap.values, written.values)
        XCTAssertEqual(Int(heatmap.width * heatmap.height), heatmap.values.count)
        XCTAssertEqual(heatmap.frame, Array(written.frame.joined()))
        XCTAssertEqual(heatmap.max, written.max)
        XCTAssertEqual(heatmap.evidence, written.evidence)
        // The golden picture has 32 pixels a side, and so has the input, which sees all of it.
        XCTAssertEqual(heatmap.picture, [32, 32])
        XCTAssertEqual(heatmap.seen, [0, 0, 32, 32])
        XCTAssertEqual(Data(try picture.overlay(heatmap: heatmap)).prefix(4), Data([0x89, 0x50, 0x4E, 0x47]))
        let other = try Image.open(path: path(samples[0]))
        assertThrows(.invalidQuery) { try other.overlay(heatmap: heatmap) }
        let activation = Query(explain: Explain(method: .classActivation))
        assertThrows(.invalidQuery) { try classifier.classify(image: picture, query: activation) }
    }

    func testNoveltyIsMeasuredWhereTheModelTells() throws {
        XCTAssertNil(try report(Query()).novelty)
        var manifest = TinyModel.manifest
        let hash = try TinyModel().classifier().identity().graphSha256
        manifest["calibration"] =
            ["graph_sha256": hash, "novelty": ["method": "energy", "soft": -99, "hard": 99] as [String: Any]]
            as [String: Any]
        let report = try TinyModel(manifest: manifest).classifier().classify(image: goldenPicture())
        let novelty = try XCTUnwrap(report.novelty)
        XCTAssertEqual([novelty.soft, novelty.hard], [-99, 99])
        XCTAssert(report.json.contains("\"novelty\":{\"value\":\(novelty.value),"), report.json)
    }

    func testQueryWithUsedCancelHandleIsCancelled() throws {
        let handle = try CancelHandle()
        XCTAssertEqual(try labels(Query(cancel: handle)), ["a", "b", "c"])
        try handle.cancel()
        assertThrows(.cancelled) { try report(Query(cancel: handle)) }
    }

    func testSigmoidModelGivesSeveralLabelsOrNone() throws {
        let several = try sigmoid(operatingPoint: 0)
        let names = ["a", "b", "c"].map { LabelName(id: $0, name: "Label \($0)", level: .noSign) }
        XCTAssertEqual(several.verdict, .several(labels: names))
        XCTAssertEqual(several.triage, .refer)
        XCTAssertEqual(several.decidedBy, .noSignNotShown)
        XCTAssertEqual(several.findings.map(\.operatingPoint), [0, 0, 0])
        XCTAssertEqual(several.findings.map(\.overOperatingPoint), [true, true, true])
        let none = try sigmoid(operatingPoint: 1)
        XCTAssertEqual(none.verdict, .undecided)
        XCTAssertEqual(none.triage, .refer)
        XCTAssertEqual(none.decidedBy, .undecided)
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

    func testVerdictHasTheMostPressingLabelFirst() throws {
        let labels = [("a", "no_sign"), ("b", "refer"), ("c", "urgent")].map { id, level in
            ["id": id, "name": ["en": "Label \(id)"], "operating_point": 0, "triage": level] as [String: Any]
        }
        var manifest = TinyModel.manifest
        manifest["output"] = ["activation": "softmax", "labels": labels] as [String: Any]
        let report = try TinyModel(manifest: manifest).classifier().classify(image: goldenPicture())
        guard case .several(let found) = report.verdict else { return XCTFail(report.text) }
        XCTAssertEqual(found.map(\.id), ["c", "b", "a"])
        XCTAssertEqual(found.map(\.level), [.urgent, .refer, .noSign])
    }

    func testDangerSignSetsTheTriageAndIsInTheReport() throws {
        var manifest = TinyModel.manifest
        manifest["scope"] =
            [
                ["id": "ready", "required": true],
                [
                    "id": "bleeds", "question": ["en": "Does it bleed?", "uk": "Кровить?"], "role": "danger",
                    "level": "urgent",
                ] as [String: Any],
            ] as [[String: Any]]
        let labels = ["a", "b", "c"].map { id in
            ["id": id, "name": ["en": id], "operating_point": 0.3, "triage": "refer"] as [String: Any]
        }
        manifest["output"] = ["activation": "softmax", "labels": labels] as [String: Any]
        let classifier = try TinyModel(manifest: manifest).classifier()
        XCTAssertEqual(
            try classifier.manifest().scope[1],
            ScopeQuestion(
                id: "bleeds", question: "Does it bleed?", role: .danger, level: .urgent, required: false, min: nil,
                max: nil))
        func report(_ query: Query) throws -> Report { try classifier.classify(image: goldenPicture(), query: query) }
        let without = try report(Query(answers: ["ready": .yes, "bleeds": .no]))
        XCTAssertEqual(without.triage, .refer)
        XCTAssertEqual(without.decidedBy, .label)
        XCTAssertEqual(without.danger, [])
        let with = try report(Query(language: "uk", answers: ["ready": .yes, "bleeds": .yes]))
        XCTAssertEqual(with.verdict, without.verdict)
        XCTAssertEqual(with.triage, .urgent)
        XCTAssertEqual(with.decidedBy, .danger)
        XCTAssertEqual(with.danger, [DangerSign(id: "bleeds", question: "Кровить?", level: .urgent)])
        let rejected = try report(Query(answers: ["bleeds": .yes]))
        XCTAssertEqual(verdictKind(rejected.verdict), "rejected")
        XCTAssertEqual(rejected.triage, .urgent)
        XCTAssertEqual(rejected.decidedBy, .danger)
    }

    func testGroupStandsInPlaceOfItsLabelsAndIsNoScore() throws {
        var manifest = TinyModel.manifest
        var output = try XCTUnwrap(manifest["output"] as? [String: Any])
        output["groups"] =
            [
                [
                    "id": "bc", "name": ["en": "Group"], "labels": ["b", "c"], "operating_point": 0.25,
                    "triage": "refer",
                ] as [String: Any]
            ] as [[String: Any]]
        manifest["output"] = output
        let classifier = try TinyModel(manifest: manifest).classifier()
        let read = try classifier.manifest()
        XCTAssertEqual(read.labels.map(\.id), ["a", "b", "c"])
        XCTAssertEqual(
            read.shownLabels,
            [
                Label(id: "a", name: "Label A", operatingPoint: 0.3, triage: .urgent),
                Label(id: "bc", name: "Group", operatingPoint: 0.25, triage: .refer),
            ])
        XCTAssertEqual(try classifier.classify(image: goldenPicture()).findings.map(\.label), ["a", "bc"])
        XCTAssertEqual(try classifier.scores(image: goldenPicture()).count, 3)
    }

    func testManifestAdviceIsTheModelsOrElseThatOfTheLibrary() throws {
        var manifest = TinyModel.manifest
        manifest["advice"] = ["urgent": ["en": "A doctor today.", "uk": "Лікар сьогодні."]]
        let classifier = try TinyModel(manifest: manifest).classifier()
        XCTAssertEqual(try classifier.manifest(language: "uk").advice.of(.urgent), "Лікар сьогодні.")
        XCTAssertEqual(try classifier.classify(image: goldenPicture()).advice, "A doctor today.")
        let advice = try classifier.manifest().advice
        XCTAssertEqual(advice.of(.urgent), "A doctor today.")
        XCTAssertEqual(advice.of(.refer), "A clinician should look at it.")
        XCTAssertEqual(advice.of(.unassessed), advice.unassessed)
        XCTAssertEqual(advice.of(.noSign), advice.noSign)
    }

    func testManifestFieldsEqualWhatWasWritten() throws {
        var written = try manifest()
        written["title"] = ["en": "A title", "uk": "Назва"]
        written["intended_use"] = ["en": "For tests", "uk": "Для тестів"]
        written["not_for"] = ["en": "For nobody", "uk": "Ні для кого"]
        written["advice"] = [
            "no_sign": ["en": "none"], "unassessed": ["en": "not assessed"], "refer": ["en": "look"],
            "urgent": ["en": "look soon"],
        ]
        let classifier = try TinyModel(manifest: written).classifier()
        let english = try classifier.manifest()
        let wanted = Manifest(
            name: "tiny", version: "0.0.1", license: "CC0-1.0", title: "A title", intendedUse: "For tests",
            notFor: "For nobody",
            advice: Advice(noSign: "none", unassessed: "not assessed", refer: "look", urgent: "look soon"),
            scope: [
                question("ready", "Ready?", required: false, min: nil, max: nil),
                question("age", "age", required: false, min: 18.5, max: 90),
            ],
            labels: [
                Label(id: "a", name: "Label A", operatingPoint: 0.3, triage: .urgent),
                Label(id: "b", name: "Label B", operatingPoint: nil, triage: .noSign),
                Label(id: "c", name: "Label C", operatingPoint: nil, triage: .refer),
            ],
            shownLabels: [
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
                question("first", "first", required: true, min: nil, max: nil),
                question("most", "most", required: false, min: nil, max: 7),
            ])
    }

    /// A question about scope.
    private func question(_ id: String, _ text: String, required: Bool, min: Double?, max: Double?) -> ScopeQuestion {
        ScopeQuestion(id: id, question: text, role: .scope, level: nil, required: required, min: min, max: max)
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
