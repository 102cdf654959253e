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
            let hint = try capture.catalogue.sentence("questions_age", language, "1", "5")
            XCTAssertEqual(question.kind, .age(hint: hint))
            let signs = ["general", "blue", "indrawing", "fast_breathing", "cough"]
            XCTAssertEqual(try capture.questions().signs.map(\.id), signs)
        }
    }

    @MainActor
    func testChestAgeOutOfScopeRejectsBeforeThePicture() async throws {
        let model = try ModelFile("chest-xray")
        for language in languages {
            for (years, months) in [("0", "11"), ("", "8"), ("5", "1"), ("40", "")] {
                let capture = try Capture(language)
                await capture.answer(.chest, ["age": .age(years: years, months: months), "frontal_file": .yes])
                let text = try model.question("age", language)
                let reasons = try capture.result().reasons
                XCTAssertEqual(reasons.count, 1)
                XCTAssert(reasons[0].contains("\(text) (1–5)"), reasons[0])
            }
        }
    }

    @MainActor
    func testAgeIsYearsAndTwelfths() async throws {
        let capture = try Capture()
        capture.flow.choose(.chest)
        await capture.flow.settled()
        let question = try XCTUnwrap(capture.questions().questions.first { $0.id == "age" })
        let ages = [("1", "", 1), ("1", "0", 1), ("", "6", 0.5), (" 4 ", "3", 4.25), ("2", "9", 2.75)]
        for (years, months, age) in ages {
            XCTAssertEqual(question.answer(.age(years: years, months: months)), .number(value: age), years)
        }
        XCTAssertEqual(
            question.line(.age(years: "4", months: ""), texts: capture.flow.texts),
            "How old is the child, in years? years 4, months 0")
    }

    @MainActor
    func testAgeThatIsNotWholeYearsAndMonthsIsNoAnswer() async throws {
        let capture = try Capture()
        let texts = [("2.5", ""), ("2", "12"), ("2", "1,5"), ("x", "1"), ("-1", ""), ("2", "x"), ("1000", "")]
        for (years, months) in texts {
            await capture.answer(.chest, ["age": .age(years: years, months: months), "frontal_file": .yes])
            let question = try XCTUnwrap(capture.questions().questions.first { $0.id == "age" })
            XCTAssert(capture.flow.isIncomplete, "\(years), \(months)")
            XCTAssert(question.isNoNumber(capture.flow.drafts["age"]), "\(years), \(months)")
        }
        await capture.answer(.chest, ["age": .age(years: " ", months: ""), "frontal_file": .yes])
        let question = try XCTUnwrap(capture.questions().questions.first { $0.id == "age" })
        XCTAssert(capture.flow.isIncomplete, "blank is open")
        XCTAssertFalse(question.isNoNumber(capture.flow.drafts["age"]))
    }

    @MainActor
    func testResultEqualsTheCommandsForEachSample() async throws {
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.chest, ["age": .age(years: "3", months: ""), "frontal_file": .yes])
            for expected in try Expected.all(of: "chest-xray", language) {
                XCTAssertEqual(capture.flow.pages.last, .picture(.chest))
                try await capture.look(expected.picture)
                try capture.assertResult(says: expected)
                capture.flow.back()
            }
        }
    }
}
