// A flow in one language that tests drive, and the sentences that it is compared with.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

/// The path of the model of a topic in the repository.
@Sendable func shippedModel(_ topic: Topic) -> String {
    repository.appendingPathComponent("target/prepared/\(topic.modelFile)").path
}

/// A flow in one language, and the sentences that it is compared with.
@MainActor
struct Capture {
    let flow: Flow
    let catalogue: Catalogue
    let language: String

    init(
        _ language: String = "en", modelPath: @escaping @Sendable (Topic) -> String = shippedModel,
        decode: @escaping @Sendable (Data) throws -> Image? = { _ in nil }
    ) throws {
        catalogue = try Catalogue()
        self.language = language
        flow = Flow(texts: catalogue.texts(language), modelPath: modelPath, decode: decode)
    }

    func sentence(_ key: String) throws -> String {
        try catalogue.sentence(key, language)
    }

    /// Chooses a topic and answers its questions.
    func answer(_ topic: Topic = .skin, _ drafts: [String: Draft] = ["dermatoscope": .yes, "mole_like": .yes]) async {
        flow.choose(topic)
        await flow.settled()
        for (question, draft) in drafts { flow.answer(question, draft) }
        flow.proceed()
        await flow.settled()
    }

    /// Classifies a picture of the repository.
    func look(_ name: String, from source: PictureSource = .file) async throws {
        flow.look(at: try bytes(name), from: source)
        await flow.settled()
    }

    func result(file: StaticString = #filePath, line: UInt = #line) throws -> ResultPage {
        guard case .result(let page)? = flow.pages.last else {
            throw failed("no result", file, line)
        }
        return page
    }

    /// Asserts that the result on the screen equals the one that the command printed for the picture.
    func assertResult(says expected: Expected) throws {
        let page = try result()
        XCTAssertEqual(page.verdict, expected.summary)
        XCTAssertEqual(page.advice, expected.advice)
        XCTAssertEqual(page.triage.rawValue, expected.triage)
        XCTAssertEqual(page.reasons, [])
        XCTAssert(page.hadPicture)
        flow.openClinicians()
        try assertClinicians(say: expected)
        flow.back()
    }

    /// Asserts that the page for clinicians has the numbers that the command printed for the picture.
    private func assertClinicians(say expected: Expected) throws {
        let page = try clinicians()
        XCTAssertEqual(page.rows.map(\.name), expected.findings.map(\.name))
        XCTAssertEqual(
            page.rows.map(\.numbers),
            try expected.findings.map { finding in
                try catalogue.sentence(
                    "clinicians_finding", language, percent(finding.probability), percent(finding.operatingPoint))
            })
        let over = try sentence("clinicians_over")
        XCTAssertEqual(page.rows.map(\.mark), expected.findings.map { $0.isOver ? over : nil })
        XCTAssertEqual(page.decidedBy, try sentence("clinicians_decided_\(expected.decidedBy)"))
        XCTAssertEqual(
            page.quality,
            try catalogue.sentence(
                "clinicians_quality", language, decimal(expected.quality["focus"]), decimal(expected.quality["dark"]),
                decimal(expected.quality["bright"]), decimal(expected.quality["contrast"]),
                decimal(expected.quality["color"]), decimal(expected.quality["size"])))
        XCTAssertEqual(page.novelty != nil, expected.hasNovelty)
        XCTAssertEqual(
            page.model,
            try catalogue.sentence(
                "result_model", language, "\(expected.model) \(expected.version)", String(expected.hash.prefix(12)),
                expected.runtime))
        XCTAssertFalse(page.time.isEmpty)
    }

    /// A fraction in per cent with one decimal, in the language's format.
    func percent(_ fraction: Double) throws -> String {
        try catalogue.sentence("clinicians_percent", language, decimal(fraction * 100, "%.1f"))
    }

    private func decimal(_ number: Double?, _ format: String = "%.2f") throws -> String {
        let text = String(format: format, try XCTUnwrap(number))
        return language == "uk" ? text.replacingOccurrences(of: ".", with: ",") : text
    }

    func clinicians(file: StaticString = #filePath, line: UInt = #line) throws -> CliniciansPage {
        guard case .clinicians(let page)? = flow.pages.last else { throw failed("no clinicians' page", file, line) }
        return page
    }

    func questions(file: StaticString = #filePath, line: UInt = #line) throws -> QuestionsPage {
        guard case .questions(let page)? = flow.pages.last else { throw failed("no questions", file, line) }
        return page
    }

    func failure(file: StaticString = #filePath, line: UInt = #line) throws -> FailurePage {
        guard case .failed(let page)? = flow.pages.last else { throw failed("no failure", file, line) }
        return page
    }

    func slip(file: StaticString = #filePath, line: UInt = #line) throws -> Slip {
        guard case .slip(let page)? = flow.pages.last else { throw failed("no slip", file, line) }
        return page
    }

    private func failed(_ what: String, _ file: StaticString, _ line: UInt) -> any Error {
        XCTFail("\(what): \(flow.pages)", file: file, line: line)
        return XCTSkip("\(what)")
    }
}

/// A picture of a melanoma.
let sample = "models/samples/ISIC_0012258.jpg"
