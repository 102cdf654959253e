// Captures with the chest X-ray model; nothing is run where the repository has none.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class ChestTests: XCTestCase, @unchecked Sendable {
    override func setUpWithError() throws {
        let model = shippedModel(.chest)
        try XCTSkipUnless(FileManager.default.fileExists(atPath: model), "there is no chest X-ray model yet")
    }

    @MainActor
    func testItAsksForTheChildsAge() async throws {
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
    func testAnotherAgeRejectsBeforeAnyPicture() async throws {
        let model = try ModelFile("chest-xray")
        for language in languages {
            for age in ["0,5", "6", "40"] {
                let capture = try Capture(language)
                await capture.answer(.chest, ["age": .typed(age)])
                let text = try model.question("age", language)
                let reason = try capture.catalogue.sentence("reason_scope_out_of_range", language, text)
                XCTAssertEqual(try capture.result().reasons, [reason])
            }
        }
    }

    @MainActor
    func testAChildsPictureGetsAResultOfTheModelsLabels() async throws {
        let model = try ModelFile("chest-xray")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.chest, ["age": .typed("3")])
            XCTAssertEqual(capture.flow.pages.last, .picture(.chest))
            try await capture.look("models/samples/ISIC_0012258.jpg")
            let names = try ["normal", "bacterial_pneumonia", "viral_pneumonia"].map {
                try model.name(ofLabel: $0, language)
            }
            XCTAssertEqual(Set(try capture.result().rows.map(\.name)), Set(names))
        }
    }
}
