// Captures with the shipped skin model: from the choice of the topic to the slip, in both languages.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

/// Where the topics' models lie in the repository.
@Sendable func shippedModel(_ topic: Topic) -> String {
    repository.appendingPathComponent("models/\(topic.modelFile)").path
}

/// A flow in one language, and the sentences that it is held against.
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

    /// Looks at a file of the repository.
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

private let sample = "models/samples/ISIC_0012258.jpg"

final class FlowTests: XCTestCase, @unchecked Sendable {
    @MainActor
    func testTheQuestionsAreThoseOfTheModel() async throws {
        let model = try ModelFile("skin-lesion")
        for language in languages {
            let capture = try Capture(language)
            XCTAssertEqual(capture.flow.pages, [])
            capture.flow.choose(.skin)
            XCTAssertEqual(capture.flow.pages, [.opening(.skin)])
            await capture.flow.settled()
            let page = try capture.questions()
            XCTAssertEqual(page.madeFor, try model.text("intended_use", language))
            XCTAssertEqual(page.notFor, try model.text("not_for", language))
            XCTAssertEqual(page.questions.map(\.id), ["dermatoscope"])
            XCTAssertEqual(page.questions[0].text, try model.question("dermatoscope", language))
            XCTAssertEqual(page.questions[0].kind, .yesOrNo)
            XCTAssert(page.questions[0].isRequired)
        }
    }

    @MainActor
    func testEachSamplesResultIsWhatTheCommandSays() async throws {
        let model = try ModelFile("skin-lesion")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer()
            for expected in try Expected.all() {
                XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
                try await capture.look(expected.picture)
                try assert(capture, capture.result(), says: expected, model)
                capture.flow.back()
            }
        }
    }

    @MainActor
    private func assert(
        _ capture: Capture, _ page: ResultPage, says expected: Expected, _ model: ModelFile
    ) throws {
        let (catalogue, language) = (capture.catalogue, capture.language)
        let names = try expected.labels.map { try model.name(ofLabel: $0, language) }.joined(separator: ", ")
        XCTAssertEqual(page.verdict, try catalogue.sentence("verdict_\(expected.kind)", language, names))
        XCTAssertEqual(page.triage.rawValue, expected.triage)
        XCTAssertEqual(page.reasons, [])
        XCTAssertEqual(page.rows.map(\.name), try expected.findings.map { try model.name(ofLabel: $0.label, language) })
        XCTAssertEqual(
            page.rows.map(\.frequency),
            try expected.findings.map { finding in
                let count = Int((finding.probability * 100).rounded())
                return try catalogue.sentence("findings_about", language, "\(count)")
            })
        let over = try capture.sentence("findings_over")
        XCTAssertEqual(page.rows.map(\.mark), expected.findings.map { $0.isOver ? over : nil })
        XCTAssertEqual(
            page.model,
            try catalogue.sentence(
                "result_model", language, "\(expected.model) \(expected.version)", String(expected.hash.prefix(12)),
                expected.runtime))
        XCTAssertNotNil(page.time)
        XCTAssert(page.hadPicture)
    }

    func testTheSamplesShowWhatTheTestsAreAbout() throws {
        let all = try Expected.all()
        XCTAssertEqual(Set(all.map(\.kind)), ["single", "several"])
        XCTAssertEqual(Set(all.map(\.triage)), ["refer", "urgent"])
    }

    @MainActor
    func testAnUrgentResultSaysSo() async throws {
        let expected = try XCTUnwrap(Expected.all().first { $0.triage == "urgent" })
        for language in languages {
            let capture = try Capture(language)
            await capture.answer()
            try await capture.look(expected.picture)
            capture.flow.openSlip()
            let slip = try capture.slip()
            XCTAssertEqual(slip.triage.color, .alarm)
            XCTAssertEqual(slip.triageWord, try capture.sentence("triage_urgent"))
            XCTAssertEqual(slip.advice, try capture.sentence("triage_urgent_advice"))
        }
    }

    @MainActor
    func testAnAnswerOutOfScopeRejectsBeforeAnyPicture() async throws {
        let question = try ModelFile("skin-lesion")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.skin, ["dermatoscope": .no])
            let page = try capture.result()
            XCTAssertEqual(capture.flow.pages.count, 2, "no picture was asked for")
            XCTAssertEqual(page.triage, .repeat)
            XCTAssertEqual(page.verdict, try capture.sentence("verdict_rejected"))
            let text = try question.question("dermatoscope", language)
            XCTAssertEqual(page.reasons, [try capture.catalogue.sentence("reason_scope_no", language, text)])
            XCTAssertEqual(page.rows, [])
            XCTAssertNil(page.time)
            XCTAssertFalse(page.hadPicture)
            capture.flow.back()
            XCTAssertEqual(capture.flow.drafts, ["dermatoscope": .no])
            XCTAssertNoThrow(try capture.questions())
        }
    }

    @MainActor
    func testNobodyGoesOnBeforeAllIsAnswered() async throws {
        let capture = try Capture()
        capture.flow.choose(.skin)
        await capture.flow.settled()
        capture.flow.proceed()
        await capture.flow.settled()
        XCTAssert(capture.flow.isIncomplete)
        XCTAssertEqual(capture.flow.pages.count, 1)
        capture.flow.answer("dermatoscope", .yes)
        XCTAssertFalse(capture.flow.isIncomplete)
        capture.flow.answer("dermatoscope", nil)
        capture.flow.proceed()
        XCTAssert(capture.flow.isIncomplete, "an answer can be taken back")
    }

    @MainActor
    func testABrokenPictureSaysWhatToDoAndAnotherGoesOn() async throws {
        let broken: [(Data, String)] = [
            (try bytes(sample).prefix(3000), "error_malformed_image"),
            (Data("GIF89a".utf8) + Data(count: 64), "error_unsupported_image"),
            (Data(), "error_malformed_image"),
        ]
        for language in languages {
            let capture = try Capture(language)
            await capture.answer()
            for (bytes, key) in broken {
                capture.flow.look(at: bytes)
                await capture.flow.settled()
                XCTAssertEqual(try capture.failure().text, try capture.sentence(key))
                XCTAssert(try capture.failure().isAboutPicture)
                capture.flow.back()
                XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
                XCTAssertEqual(capture.flow.picture, bytes, "the same picture can be tried again")
            }
            capture.flow.pictureIsUnreadable()
            XCTAssertEqual(try capture.failure().text, try capture.sentence("error_io"))
            capture.flow.back()
            try await capture.look(sample)
            XCTAssertNoThrow(try capture.result())
        }
    }

    @MainActor
    func testAModelThatCannotBeOpenedIsNoMatterOfThePicture() async throws {
        for language in languages {
            let capture = try Capture(language, modelPath: { _ in "/no-such.onnx" })
            capture.flow.choose(.skin)
            await capture.flow.settled()
            let page = try capture.failure()
            XCTAssertEqual(page.text, try capture.catalogue.sentence("error_internal", language, "Io"))
            XCTAssertFalse(page.isAboutPicture)
            capture.flow.back()
            XCTAssertEqual(capture.flow.pages, [])
        }
    }

    @MainActor
    func testStoppingLeadsBackToThePictureAndNoResultComesAfter() async throws {
        let capture = try Capture()
        await capture.answer()
        capture.flow.look(at: try bytes(sample))
        XCTAssertEqual(capture.flow.pages.last, .working(.skin))
        let stopped = Task { @MainActor in await capture.flow.settled() }
        await Task.yield()
        capture.flow.back()
        await stopped.value
        XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
        XCTAssertEqual(capture.flow.picture, try bytes(sample))
        try await capture.look(sample)
        XCTAssertNoThrow(try capture.result(), "it can be looked at again")
    }

    @MainActor
    func testLeavingWhileTheModelIsOpenedLeadsNowhere() async throws {
        let capture = try Capture()
        capture.flow.choose(.skin)
        let opening = Task { @MainActor in await capture.flow.settled() }
        await Task.yield()
        capture.flow.back()
        await opening.value
        XCTAssertEqual(capture.flow.pages, [])
    }

    @MainActor
    func testASharedPictureIsOfferedOnceAndPutsAnotherResultAway() async throws {
        let capture = try Capture()
        await capture.answer()
        try await capture.look(sample)
        let shared = try bytes("models/samples/ISIC_0012092.jpg")
        capture.flow.receive(shared)
        XCTAssertEqual(capture.flow.pages, [], "the result of another picture is gone")
        XCTAssertNil(capture.flow.picture)
        await capture.answer()
        XCTAssertEqual(capture.flow.shared, shared)
        capture.flow.look(at: shared)
        await capture.flow.settled()
        XCTAssertNoThrow(try capture.result())
        XCTAssertNil(capture.flow.shared)
    }

    @MainActor
    func testASharedPictureThatCannotBeHadPutsAnotherResultAwayToo() async throws {
        let capture = try Capture()
        await capture.answer()
        try await capture.look(sample)
        capture.flow.receive(nil)
        XCTAssertEqual(capture.flow.pages.count, 1)
        XCTAssertEqual(try capture.failure().text, try capture.sentence("error_io"))
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages, [])
    }

    @MainActor
    func testAgainAndFinishForgetWhatTheyShould() async throws {
        let capture = try Capture()
        await capture.answer()
        try await capture.look(sample)
        capture.flow.again()
        XCTAssertNoThrow(try capture.questions())
        XCTAssertEqual(capture.flow.drafts, [:])
        XCTAssertNil(capture.flow.picture)

        await capture.answer()
        try await capture.look(sample)
        capture.flow.finish()
        XCTAssertEqual(capture.flow.pages, [])
        XCTAssertEqual(capture.flow.drafts, [:])
        XCTAssertNil(capture.flow.picture)
        XCTAssertEqual(capture.flow.saved, "")
    }

    @MainActor
    func testBackGoesPageByPage() async throws {
        let capture = try Capture()
        await capture.answer()
        try await capture.look(sample)
        capture.flow.openSlip()
        XCTAssertEqual(capture.flow.pages.count, 4)
        let number = try capture.slip().caseLine
        capture.flow.back()
        capture.flow.openSlip()
        XCTAssertEqual(try capture.slip().caseLine, number, "a case keeps its number")
        capture.flow.back(to: 1)
        XCTAssertEqual(try capture.questions().topic, .skin)
        XCTAssertEqual(capture.flow.drafts, ["dermatoscope": .yes])
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages, [])
        XCTAssertEqual(capture.flow.drafts, [:])
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages, [])
    }

    @MainActor
    func testTheSlipHasAllOfTheResult() async throws {
        let expected = try Expected.first(ofKind: "several")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer()
            try await capture.look(expected.picture)
            let result = try capture.result()
            capture.flow.openSlip()
            let slip = try capture.slip()
            XCTAssertEqual(slip.title, try capture.sentence("slip_title"))
            XCTAssertEqual(slip.caseLine, try capture.catalogue.sentence("slip_case", language, result.caseNumber))
            XCTAssertEqual(slip.fileName, "Bedside-\(result.caseNumber)")
            XCTAssertEqual(slip.blanks, try ["slip_name", "slip_from", "slip_to"].map(capture.sentence))
            XCTAssertEqual(slip.remarks, try capture.sentence("slip_remarks"))
            XCTAssertEqual(slip.resultTitle, try capture.sentence("slip_result"))
            XCTAssertEqual(slip.topic, try capture.sentence("home_skin"))
            XCTAssertEqual(slip.triageWord, try capture.sentence("triage_\(expected.triage)"))
            XCTAssertEqual(slip.verdict, result.verdict)
            XCTAssertEqual(slip.numbersLead, try capture.sentence("findings_lead"))
            XCTAssertEqual(slip.rows.count, expected.findings.count)
            XCTAssertEqual(slip.rows, result.rows)
            XCTAssertEqual(slip.model, result.model)
            XCTAssertEqual(slip.notice, try capture.sentence("app_notice"))
            XCTAssertEqual(slip.pictureGone, try capture.sentence("result_picture_gone"))
        }
    }

    @MainActor
    func testASlipWithoutAPictureSaysWhyThereIsNoResult() async throws {
        let capture = try Capture("uk")
        await capture.answer(.skin, ["dermatoscope": .no])
        let result = try capture.result()
        capture.flow.openSlip()
        let slip = try capture.slip()
        XCTAssertEqual(slip.reasons, result.reasons)
        XCTAssertEqual(slip.reasons.count, 1)
        XCTAssertEqual(slip.numbersLead, "")
        XCTAssertNil(slip.pictureGone)
        XCTAssertNil(slip.model)
    }

    @MainActor
    func testEachChangeIsAnnouncedBeforehand() async throws {
        let capture = try Capture()
        var seen: [Int] = []
        capture.flow.willChange = { seen.append(capture.flow.pages.count) }
        capture.flow.choose(.skin)
        XCTAssertEqual(seen.last, 0)
        await capture.flow.settled()
        XCTAssertEqual(seen.last, 1)
    }
}

final class RestoredTests: XCTestCase, @unchecked Sendable {
    /// Another flow, as after a new start of the app.
    @MainActor
    private func restored(_ saved: String, _ language: String = "en") throws -> Capture {
        let capture = try Capture(language)
        capture.flow.restore(saved)
        return capture
    }

    @MainActor
    func testAResultAndItsSlipComeBackWithoutThePicture() async throws {
        for language in languages {
            let before = try Capture(language)
            await before.answer()
            try await before.look(sample)
            before.flow.openSlip()
            let after = try restored(before.flow.saved, language)
            XCTAssertEqual(after.flow.pages, before.flow.pages)
            XCTAssertEqual(after.flow.drafts, before.flow.drafts)
            XCTAssertNil(after.flow.picture)
            XCTAssertNotNil(try after.slip().pictureGone)
        }
    }

    @MainActor
    func testARestoredCaptureGoesOn() async throws {
        let before = try Capture()
        await before.answer()
        let after = try restored(before.flow.saved)
        XCTAssertEqual(after.flow.pages.last, .picture(.skin))
        try await after.look(sample)
        XCTAssertEqual(try after.result().triage, .urgent)

        let atQuestions = try Capture()
        atQuestions.flow.choose(.skin)
        await atQuestions.flow.settled()
        atQuestions.flow.answer("dermatoscope", .no)
        let again = try restored(atQuestions.flow.saved)
        again.flow.proceed()
        await again.flow.settled()
        XCTAssertEqual(try again.result().triage, .repeat)
    }

    @MainActor
    func testWhatWasUnderWayComesBackWhereItBegan() async throws {
        let before = try Capture()
        await before.answer()
        before.flow.look(at: try bytes(sample))
        let working = before.flow.saved
        before.flow.back()
        before.flow.pictureIsUnreadable()
        for saved in [working, before.flow.saved] {
            XCTAssertEqual(try restored(saved).flow.pages.last, .picture(.skin))
        }
        before.flow.choose(.skin)
        XCTAssertEqual(try restored(before.flow.saved).flow.pages, [])
    }

    @MainActor
    func testNothingComesBackFromAnotherLanguageOrFromJunk() async throws {
        let before = try Capture("uk")
        await before.answer()
        for saved in ["", "junk", "{}"] { XCTAssertEqual(try restored(saved).flow.pages, []) }
        XCTAssertEqual(try restored(before.flow.saved, "en").flow.pages, [])
        XCTAssertEqual(try restored(before.flow.saved, "uk").flow.pages.count, 2)
    }

    @MainActor
    func testNoPictureIsKept() async throws {
        let before = try Capture()
        await before.answer()
        try await before.look(sample)
        XCTAssertLessThan(before.flow.saved.utf8.count, 5000)
        XCTAssertFalse(before.flow.saved.contains(try bytes(sample).prefix(60).base64EncodedString()))
    }
}

/// Number questions and models whose labels don't exclude each other, with a tiny model.
final class TinyFlowTests: XCTestCase, @unchecked Sendable {
    private static var age: [String: Any] {
        ["id": "age", "question": ["en": "How old is the child, in years?"], "required": true, "min": 1, "max": 5]
    }

    @MainActor
    private func capture(_ model: TinyModel, _ language: String = "en") throws -> Capture {
        try Capture(language, modelPath: { _ in model.file })
    }

    @MainActor
    func testANumberQuestionSaysWhatItTakes() async throws {
        for language in languages {
            var (least, greatest) = (Self.age, Self.age)
            (least["id"], least["max"]) = ("least", nil)
            (greatest["id"], greatest["min"], greatest["max"]) = ("greatest", nil, 2.5)
            let capture = try capture(TinyModel(scope: [Self.age, least, greatest]), language)
            capture.flow.choose(.chest)
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
    func testNumbersAreTakenWithPointOrComma() async throws {
        let model = try TinyModel(scope: [Self.age])
        for typed in ["1", "5", "2.5", "2,5", " 3 ", "4."] {
            let capture = try capture(model)
            await capture.answer(.chest, ["age": .typed(typed)])
            XCTAssertEqual(capture.flow.pages.last, .picture(.chest), typed)
        }
    }

    @MainActor
    func testANumberOutsideRejectsBeforeAnyPicture() async throws {
        let model = try TinyModel(scope: [Self.age])
        for typed in ["0,9", "5.1", "40", "-1"] {
            let capture = try capture(model)
            await capture.answer(.chest, ["age": .typed(typed)])
            let question = "How old is the child, in years?"
            let reason = try capture.catalogue.sentence("reason_scope_out_of_range", "en", question)
            XCTAssertEqual(try capture.result().reasons, [reason], typed)
        }
    }

    @MainActor
    func testWhatIsNoNumberIsNoAnswer() async throws {
        let model = try TinyModel(scope: [Self.age])
        for typed in ["x", "1e3", "nan", "3 4", "1,2,3", "٣", ",", "--1"] {
            let capture = try capture(model)
            await capture.answer(.chest, ["age": .typed(typed)])
            let page = try capture.questions()
            XCTAssert(capture.flow.isIncomplete, typed)
            XCTAssert(page.questions[0].isNoNumber(.typed(typed)), typed)
        }
        let capture = try capture(model)
        await capture.answer(.chest, ["age": .typed("  ")])
        XCTAssert(capture.flow.isIncomplete, "blank is open")
        XCTAssertFalse(try capture.questions().questions[0].isNoNumber(.typed("  ")))
    }

    @MainActor
    func testAQuestionThatIsNotRequiredMayStayOpenButHoldsNoJunk() async throws {
        var age = Self.age
        age["required"] = false
        let model = try TinyModel(scope: [age])
        for drafts: [String: Draft] in [[:], ["age": .typed("")]] {
            let capture = try capture(model)
            await capture.answer(.chest, drafts)
            XCTAssertEqual(capture.flow.pages.last, .picture(.chest))
        }
        let capture = try capture(model)
        await capture.answer(.chest, ["age": .typed("x")])
        XCTAssert(capture.flow.isIncomplete)
    }

    @MainActor
    func testNoFindingDoesNotExcludeDisease() async throws {
        let model = try TinyModel(activation: "sigmoid", operatingPoint: 0.999)
        for language in languages {
            let capture = try capture(model, language)
            await capture.answer(.chest, [:])
            try await capture.look(goldenPicture)
            let page = try capture.result()
            XCTAssertEqual(page.verdict, try capture.sentence("verdict_no_finding"))
            XCTAssertEqual(page.triage, .routine)
            XCTAssertEqual(page.rows.map(\.mark), [nil, nil, nil])
        }
    }
}
