// Questions and results that the shipped skin model does not have.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

/// Captures with a small model: number questions, and labels that don't exclude each other.
final class TinyFlowTests: XCTestCase, @unchecked Sendable {
    private static var age: [String: Any] {
        ["id": "age", "question": ["en": "How old is the child, in years?"], "required": true, "min": 1, "max": 5]
    }

    @MainActor
    private func capture(_ model: TinyModel, _ language: String = "en") throws -> Capture {
        try Capture(language, modelPath: { _ in model.file })
    }

    @MainActor
    func testNumberQuestionHintHasItsBounds() async throws {
        for language in languages {
            var (minimumOnly, maximumOnly) = (Self.age, Self.age)
            (minimumOnly["id"], minimumOnly["max"]) = ("minimum", nil)
            (maximumOnly["id"], maximumOnly["min"], maximumOnly["max"]) = ("maximum", nil, 2.5)
            let capture = try capture(TinyModel(scope: [Self.age, minimumOnly, maximumOnly]), language)
            capture.flow.choose(.skin)
            await capture.flow.settled()
            XCTAssertEqual(
                try capture.questions().questions.map(\.kind),
                [
                    .number(hint: try capture.catalogue.sentence("questions_number", language, "1", "5")),
                    .number(hint: try capture.catalogue.sentence("questions_number_min", language, "1")),
                    .number(
                        hint: try capture.catalogue.sentence(
                            "questions_number_max", language, language == "uk" ? "2,5" : "2.5")),
                ])
        }
    }

    @MainActor
    func testNumberAnswerMayHavePointOrComma() async throws {
        let model = try TinyModel(scope: [Self.age])
        for typed in ["1", "5", "2.5", "2,5", " 3 ", "4."] {
            let capture = try capture(model)
            await capture.answer(.skin, ["age": .typed(typed)])
            XCTAssertEqual(capture.flow.pages.last, .picture(.skin), typed)
        }
    }

    @MainActor
    func testNumberAnswerOutOfRangeRejectsBeforeThePicture() async throws {
        let model = try TinyModel(scope: [Self.age])
        for typed in ["0,9", "5.1", "40", "-1"] {
            let capture = try capture(model)
            await capture.answer(.skin, ["age": .typed(typed)])
            let reasons = try capture.result().reasons
            XCTAssertEqual(reasons.count, 1, typed)
            XCTAssert(reasons[0].contains("“How old is the child, in years? (1–5)”"), reasons[0])
        }
    }

    @MainActor
    func testTextThatIsNotANumberIsNoAnswer() async throws {
        let model = try TinyModel(scope: [Self.age])
        for typed in ["x", "1e3", "nan", "3 4", "1,2,3", "٣", ",", "--1"] {
            let capture = try capture(model)
            await capture.answer(.skin, ["age": .typed(typed)])
            let page = try capture.questions()
            XCTAssert(capture.flow.isIncomplete, typed)
            XCTAssert(page.questions[0].isNoNumber(.typed(typed)), typed)
        }
        let capture = try capture(model)
        await capture.answer(.skin, ["age": .typed("  ")])
        XCTAssert(capture.flow.isIncomplete, "blank is open")
        XCTAssertFalse(try capture.questions().questions[0].isNoNumber(.typed("  ")))
    }

    @MainActor
    func testOptionalQuestionMayStayUnansweredButNotHoldOtherText() async throws {
        var age = Self.age
        age["required"] = false
        let model = try TinyModel(scope: [age])
        for drafts: [String: Draft] in [[:], ["age": .typed("")]] {
            let capture = try capture(model)
            await capture.answer(.skin, drafts)
            XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
        }
        let capture = try capture(model)
        await capture.answer(.skin, ["age": .typed("x")])
        XCTAssert(capture.flow.isIncomplete)
    }

    @MainActor
    func testDangerQuestionIsOptionalAndSetsTheTriage() async throws {
        var bleeds: [String: Any] = ["id": "bleeds", "question": ["en": "Does it bleed?"]]
        (bleeds["role"], bleeds["level"]) = ("danger", "urgent")
        let model = try TinyModel(scope: [Self.age, bleeds])
        for (age, drafts, triage): (String, [String: Draft], TriageLook) in [
            ("3", [:], .refer), ("3", ["bleeds": .no], .refer), ("3", ["bleeds": .yes], .urgent),
            ("40", [:], .unassessed), ("40", ["bleeds": .no], .unassessed), ("40", ["bleeds": .yes], .urgent),
        ] {
            let capture = try capture(model)
            await capture.answer(.skin, drafts.merging(["age": .typed(age)]) { a, _ in a })
            if age == "3" { try await capture.look(goldenPicture) }
            let page = try capture.result()
            XCTAssertEqual(page.triage, triage, "\(age), \(drafts)")
            let urgent = "A clinician should look at it soon."
            XCTAssertEqual(page.advice == urgent, triage == .urgent, page.advice)
        }
        let capture = try capture(model)
        capture.flow.choose(.skin)
        await capture.flow.settled()
        XCTAssertEqual(try capture.questions().signs.map(\.kind), [.sign])
        XCTAssertFalse(try capture.questions().signs[0].isRequired)
    }

    @MainActor
    func testUndecidedHasItsSentenceAndIsReferred() async throws {
        // From docs/copy/deck.toml.
        let sentences = [
            "en": "The program can't tell what this picture shows. A clinician should decide.",
            "uk": "Програма не може сказати, що на цьому знімку. Вирішує лікар.",
        ]
        let model = try TinyModel(activation: "sigmoid", operatingPoint: 0.999)
        for language in languages {
            let capture = try capture(model, language)
            await capture.answer(.skin, [:])
            try await capture.look(goldenPicture)
            let page = try capture.result()
            XCTAssertEqual(page.verdict, sentences[language])
            XCTAssertEqual(page.triage, .refer)
            XCTAssertEqual(page.clinicians?.rows.map(\.mark), [nil, nil, nil])
        }
    }
}
