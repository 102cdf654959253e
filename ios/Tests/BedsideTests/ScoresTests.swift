// Scores and reports compared with those that the command `bedside classify --json` printed on this machine.

import Foundation
import XCTest

@testable import Bedside

final class ScoresTests: XCTestCase {
    /// The lines that the command printed for the pictures of the skin model, from the file that BEDSIDE_EXPECTED
    /// names.
    private func expectedLines() throws -> [String] {
        let file = try XCTUnwrap(
            ProcessInfo.processInfo.environment["BEDSIDE_EXPECTED"], "ios/linux/test.sh writes that file")
        let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").map(String.init)
            .filter { $0.contains("\"skin-lesion\"") }
        XCTAssertEqual(lines.count, samples.count)
        return lines
    }

    /// A line of JSON without the picture's name and the times.
    private func comparable(_ json: String) -> String {
        json.replacingOccurrences(of: #""image":"[^"]*","#, with: "", options: .regularExpression)
            .replacingOccurrences(of: #""timings_ms":\{[^}]*\},"#, with: "", options: .regularExpression)
    }

    /// The bits of the numbers of a field. Rust writes the shortest text that parses to the same bits.
    private func numbers(_ field: String, in json: String) throws -> [UInt32] {
        let pattern = try NSRegularExpression(pattern: "\"\(field)\":([-+.0-9e]+)")
        let whole = NSRange(json.startIndex..., in: json)
        return try pattern.matches(in: json, range: whole).map { match in
            let range = try XCTUnwrap(Range(match.range(at: 1), in: json))
            return try XCTUnwrap(Float(json[range])).bitPattern
        }
    }

    func testReportFindingsEqualTheCommandsBitForBit() throws {
        let classifier = try shippedClassifier()
        for (sample, line) in zip(samples, try expectedLines()) {
            let report = try classifier.classify(image: Image.open(path: path(sample)), query: dermatoscopeQuery)
            XCTAssertEqual(report.findings.count, 3)
            XCTAssertEqual(report.findings.map(\.probability.bitPattern), try numbers("probability", in: line), sample)
            XCTAssertEqual(
                report.findings.map(\.operatingPoint.bitPattern), try numbers("operating_point", in: line), sample)
            XCTAssertEqual(comparable(report.json), comparable(line))
        }
    }

    func testReportFieldsEqualTheCommandsJson() throws {
        let classifier = try shippedClassifier()
        for (sample, line) in zip(samples, try expectedLines()) {
            let report = try classifier.classify(image: Image.open(path: path(sample)), query: dermatoscopeQuery)
            let expected = try XCTUnwrap(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let verdict = try XCTUnwrap(expected["verdict"] as? [String: Any])
            XCTAssertEqual(verdictKind(report.verdict), verdict["kind"] as? String)
            XCTAssertEqual(labels(report.verdict).map(\.id), verdict["labels"] as? [String])
            XCTAssertEqual(labels(report.verdict).map(\.name), verdict["names"] as? [String])
            XCTAssertEqual(labels(report.verdict).map { triageName($0.level) }, verdict["levels"] as? [String])
            XCTAssertEqual(triageName(report.triage), expected["triage"] as? String)
            XCTAssertEqual(deciderName(report.decidedBy), expected["decided_by"] as? String)
            XCTAssertEqual(report.danger, [])
            let quality = try XCTUnwrap(report.quality)
            for (name, measure) in [
                ("focus", quality.focus), ("dark", quality.dark), ("bright", quality.bright),
                ("contrast", quality.contrast), ("color", quality.color), ("size", quality.size),
            ] {
                XCTAssertEqual([measure.bitPattern], try numbers(name, in: line), name)
            }
            let findings = try XCTUnwrap(expected["findings"] as? [[String: Any]])
            XCTAssertEqual(report.findings.map(\.label), findings.map { $0["label"] as? String })
            XCTAssertEqual(report.findings.map(\.name), findings.map { $0["name"] as? String })
            XCTAssertEqual(
                report.findings.map(\.overOperatingPoint), findings.map { $0["over_operating_point"] as? Bool })
            let model = try XCTUnwrap(expected["model"] as? [String: String])
            XCTAssertEqual(report.model.name, model["name"])
            XCTAssertEqual(report.model.version, model["version"])
            XCTAssertEqual(report.model.graphSha256, model["graph_sha256"])
            XCTAssertEqual(try classifier.identity(), report.model)
            let runtime = try XCTUnwrap(expected["runtime"] as? [String: String])
            XCTAssertEqual(report.runtime.name, runtime["name"])
            XCTAssertEqual(report.runtime.version, runtime["version"])
            XCTAssertEqual(report.summary, expected["summary"] as? String)
            XCTAssertEqual(report.advice, expected["advice"] as? String)
            XCTAssertEqual(report.notice, expected["notice"] as? String)
            XCTAssert(report.text.hasSuffix(report.notice), report.text)
        }
    }

    func testReportTimesEqualThoseOfItsJson() throws {
        struct TimesJson: Decodable {
            let timings_ms: [String: Double]
        }
        let classifier = try shippedClassifier()
        for sample in samples {
            let report = try classifier.classify(image: Image.open(path: path(sample)), query: dermatoscopeQuery)
            let expected = try JSONDecoder().decode(TimesJson.self, from: Data(report.json.utf8)).timings_ms
            let times = report.timingsMs
            let found = [
                "decode": times.decode, "preprocess": times.preprocess, "engine": times.engine,
                "verdict": times.verdict, "total": times.total,
            ]
            XCTAssertEqual(found.keys.sorted(), expected.keys.sorted())
            for (stage, milliseconds) in found {
                // The JSON is rounded to microseconds.
                XCTAssertEqual(milliseconds, try XCTUnwrap(expected[stage]), accuracy: 0.00051, stage)
            }
            XCTAssertGreaterThanOrEqual(times.total, times.decode + times.preprocess + times.engine + times.verdict)
        }
    }

    func testClassifierAndImageFromBytesGiveTheSameBits() throws {
        let opened = try shippedClassifier()
        let fromBytes = try Classifier.fromBytes(bytes: bytes("models/skin-lesion/model.onnx"))
        let wanted = try opened.classify(image: Image.open(path: path(samples[4])), query: dermatoscopeQuery)
        let picture = try Image.fromBytes(bytes: bytes(samples[4]))
        XCTAssertEqual(bits(try fromBytes.classify(image: picture, query: dermatoscopeQuery)), bits(wanted))
    }

    func testReportDescriptionIsItsText() throws {
        let report = try TinyModel().classifier().classify(image: goldenPicture())
        XCTAssertEqual("\(report)", report.text)
        XCTAssert(report.text.contains("Can't be excluded: Label A."), report.text)
        XCTAssert(report.text.hasSuffix(report.notice))
    }

    func testClassifierScoresEqualOnnxRuntimes() throws {
        // ONNX Runtime's scores, from tests/golden/graphs/cases.json.
        let wanted: [Float] = [0.8573658, 0.0913147, 0.0513195]
        let scores = try TinyModel().classifier().scores(image: goldenPicture())
        XCTAssertEqual(scores.count, wanted.count)
        for (score, expected) in zip(scores, wanted) {
            XCTAssertEqual(score, expected, accuracy: 1e-4)
        }
    }

    func testUnansweredScopeQuestionRejects() throws {
        let classifier = try shippedClassifier()
        let report = try classifier.classify(image: Image.open(path: path(samples[0])))
        guard case .rejected(let reasons) = report.verdict else { return XCTFail(report.text) }
        XCTAssertEqual(reasons.map(\.kind), [.scopeUnanswered, .scopeUnanswered])
        XCTAssertEqual(reasons.map(\.id), ["dermatoscope", "mole_like"])
        XCTAssertEqual(report.triage, .unassessed)
        XCTAssertEqual(report.findings, [])
        XCTAssertEqual(try classifier.scopeReasons(query: Query()), reasons)
        XCTAssertEqual(try classifier.scopeReasons(query: dermatoscopeQuery), [])
    }

    func testClassifierHasManifestAndIdentity() throws {
        let classifier = try shippedClassifier()
        let manifest = try classifier.manifest()
        XCTAssertEqual(manifest.labels.map(\.id), ["melanoma", "nevus", "seborrheic_keratosis"])
        XCTAssertEqual(manifest.scope.filter { $0.role == .scope }.map(\.id), ["dermatoscope", "mole_like"])
        XCTAssertEqual(try classifier.identity().name, "skin-lesion")
        XCTAssertNoThrow(try classifier.warmUp())
    }

    func testSelfTestReturnsRuntimeAndDifference() throws {
        let picture = try bytes("tests/golden/graphs/picture.png").base64EncodedString()
        let runtimes: [(String, GoldenBy)] = [("lab", .lab), ("self", .itself)]
        for (name, by) in runtimes {
            // ONNX Runtime's scores, of which the first differs by 0.01 and the second by 0.005.
            let scores = [0.8473658, 0.0963147, 0.0513195]
            var manifest = TinyModel.manifest
            manifest["golden"] = ["by": name, "input": ["image": picture], "scores": scores] as [String: Any]
            let passed = try XCTUnwrap(TinyModel(manifest: manifest).classifier().selfTest())
            XCTAssertEqual(passed.by, by)
            XCTAssertEqual(passed.maxDifference, 0.01, accuracy: 1e-4)
        }
        XCTAssertNil(try TinyModel().classifier().selfTest())
    }
}
