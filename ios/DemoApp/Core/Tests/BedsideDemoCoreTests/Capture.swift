// A flow in one language that tests drive, and the sentences that it is compared with.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

/// The path of the model of a topic in the repository.
@Sendable func shippedModel(_ topic: Topic) -> String {
    repository.appendingPathComponent("models/\(topic.modelFile)").path
}

/// A flow in one language, and the sentences that it is compared with.
@MainActor
struct Capture {
    let flow: Flow
    let catalogue: Catalogue
    let language: String

    init(_ language: String = "en", modelPath: @escaping @Sendable (Topic) -> String = shippedModel) throws {
        catalogue = try Catalogue()
        self.language = language
        flow = Flow(texts: catalogue.texts(language), modelPath: modelPath)
    }

    func sentence(_ key: String) throws -> String {
        try catalogue.sentence(key, language)
    }

    /// Chooses a topic and answers its questions.
    func answer(_ topic: Topic = .skin, _ drafts: [String: Draft] = ["dermatoscope": .yes]) async {
        flow.choose(topic)
        await flow.settled()
        for (question, draft) in drafts { flow.answer(question, draft) }
        flow.proceed()
        await flow.settled()
    }

    /// Classifies a picture of the repository.
    func look(_ name: String) async throws {
        flow.look(at: try bytes(name))
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
        XCTAssertEqual(page.rows.map(\.name), expected.findings.map(\.name))
        XCTAssertEqual(page.rows.map(\.frequency), try expected.findings.map { try frequency($0.probability) })
        let over = try sentence("findings_over")
        XCTAssertEqual(page.rows.map(\.mark), expected.findings.map { $0.isOver ? over : nil })
        XCTAssertEqual(
            page.model,
            try catalogue.sentence(
                "result_model", language, "\(expected.model) \(expected.version)", String(expected.hash.prefix(12)),
                expected.runtime))
        XCTAssertNotNil(page.time)
        XCTAssert(page.hadPicture)
    }

    /// A probability as a natural frequency, in the words of the deck.
    private func frequency(_ probability: Double) throws -> String {
        if probability < 0.01 { return try sentence("findings_few") }
        if probability > 0.99 { return try sentence("findings_most") }
        return try catalogue.sentence("findings_about", language, "\(Int((probability * 100).rounded()))")
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
