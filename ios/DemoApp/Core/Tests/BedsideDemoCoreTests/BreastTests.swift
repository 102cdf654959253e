// Captures with the breast ultrasound model.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class BreastTests: XCTestCase, @unchecked Sendable {
    private let inScope: [String: Draft] = ["adult": .yes, "still_frame": .yes, "native_breast": .yes]

    @MainActor
    func testQuestionsEqualThoseOfTheModel() async throws {
        let model = try ModelFile("breast-ultrasound")
        for language in languages {
            let capture = try Capture(language)
            capture.flow.choose(.breast)
            await capture.flow.settled()
            let page = try capture.questions()
            XCTAssertEqual(page.questions.map(\.id), ["adult", "still_frame", "native_breast"])
            XCTAssertEqual(page.signs.map(\.id), ["palpable", "nipple", "skin"])
            for question in page.signs + page.questions {
                XCTAssertEqual(question.text, try model.question(question.id, language))
            }
        }
    }

    @MainActor
    func testAnswerOutOfScopeRejectsBeforeThePicture() async throws {
        for question in inScope.keys {
            let capture = try Capture()
            await capture.answer(.breast, inScope.merging([question: .no]) { $1 })
            XCTAssertEqual(try capture.result().reasons.count, 1, question)
            XCTAssertEqual(capture.flow.pages.count, 2, "no picture was asked for")
        }
    }

    @MainActor
    func testSignDecidesWithoutAPictureAndTheSlipHasTheSite() async throws {
        let model = try ModelFile("breast-ultrasound")
        let capture = try Capture("uk")
        await capture.answer(.breast, inScope.merging(["still_frame": .no, "palpable": .yes]) { $1 })
        XCTAssertEqual(try capture.result().triage, .urgent)
        XCTAssertEqual(try capture.result().advice, try model.advice("urgent", "uk"))
        capture.flow.openSlip()
        XCTAssertEqual(try capture.slip().danger, [try model.question("palpable", "uk")])
        XCTAssertEqual(try capture.slip().siteField, try capture.sentence("slip_site_field"))
    }

    @MainActor
    func testPictureIsClassifiedAsAWhole() async throws {
        let capture = try Capture()
        await capture.answer(.breast, inScope)
        XCTAssertEqual(capture.flow.pages.last, .picture(.breast))
        try await capture.look("models/samples/person100_bacteria_475.jpeg")
        XCTAssertNil(try capture.result().case.part)
    }
}
