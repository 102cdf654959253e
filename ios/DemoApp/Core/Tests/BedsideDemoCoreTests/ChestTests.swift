// Captures with the chest X-ray model.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class ChestTests: XCTestCase, @unchecked Sendable {
    @MainActor
    func testChestQuestionsAskForTheAge() async throws {
        let model = try ModelFile("chest-xray")
        for language in languages {
            let capture = try Capture(language)
            capture.flow.choose(.chest)
            await capture.flow.settled()
            let question = try XCTUnwrap(capture.questions().questions.first { $0.id == "age" })
            XCTAssertEqual(question.text, try model.question("age", language))
            XCTAssert(question.isRequired)
            let hint = try capture.catalogue.sentence("questions_number", language, "1", "5")
            XCTAssertEqual(question.kind, .number(hint: hint))
        }
    }

    @MainActor
    func testChestAgeOutOfScopeRejectsBeforeThePicture() async throws {
        let model = try ModelFile("chest-xray")
        for language in languages {
            for age in ["0,5", "6", "40"] {
                let capture = try Capture(language)
                await capture.answer(.chest, ["age": .typed(age), "frontal_file": .yes])
                let text = try model.question("age", language)
                let reasons = try capture.result().reasons
                XCTAssertEqual(reasons.count, 1)
                XCTAssert(reasons[0].contains("\(text) (1–5)"), reasons[0])
            }
        }
    }

    @MainActor
    func testResultEqualsTheCommandsForEachSample() async throws {
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.chest, ["age": .typed("3"), "frontal_file": .yes])
            for expected in try Expected.all(of: "chest-xray", language) {
                XCTAssertEqual(capture.flow.pages.last, .picture(.chest))
                try await capture.look(expected.picture)
                try capture.assertResult(says: expected)
                capture.flow.back()
            }
        }
    }
}
