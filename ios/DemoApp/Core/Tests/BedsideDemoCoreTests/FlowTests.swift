// Captures with the shipped skin model, from the choice of the topic to the slip, in both languages.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class FlowTests: XCTestCase, @unchecked Sendable {
    @MainActor
    func testQuestionsEqualThoseOfTheModel() async throws {
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
            XCTAssertEqual(page.questions.first?.id, "dermatoscope")
            XCTAssertEqual(page.questions[0].text, try model.question("dermatoscope", language))
            XCTAssertEqual(page.questions[0].kind, .yesOrNo)
            XCTAssert(page.questions[0].isRequired)
        }
    }

    @MainActor
    func testResultEqualsTheCommandsForEachSample() async throws {
        for language in languages {
            let capture = try Capture(language)
            await capture.answer()
            for expected in try Expected.all(of: "skin-lesion", language) {
                XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
                try await capture.look(expected.picture)
                try capture.assertResult(says: expected)
                capture.flow.back()
            }
        }
    }

    func testSamplesCoverTheVerdictsAndTriages() throws {
        let all = try Expected.all()
        XCTAssertEqual(Set(all.map(\.kind)), ["single", "several"])
        XCTAssertEqual(Set(all.map(\.triage)), ["refer", "urgent"])
    }

    @MainActor
    func testSlipOfUrgentResultSaysSo() async throws {
        for language in languages {
            let all = try Expected.all(of: "skin-lesion", language)
            let expected = try XCTUnwrap(all.first { $0.triage == "urgent" })
            let capture = try Capture(language)
            await capture.answer()
            try await capture.look(expected.picture)
            capture.flow.openSlip()
            let slip = try capture.slip()
            XCTAssertEqual(slip.triage.color, .alarm)
            XCTAssertEqual(slip.triageWord, try capture.sentence("triage_urgent"))
            XCTAssertEqual(slip.advice, expected.advice)
        }
    }

    @MainActor
    func testAnswerOutOfScopeRejectsBeforeThePicture() async throws {
        let question = try ModelFile("skin-lesion")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.skin, ["dermatoscope": .no])
            let page = try capture.result()
            XCTAssertEqual(capture.flow.pages.count, 2, "no picture was asked for")
            XCTAssertEqual(page.triage, .unassessed)
            XCTAssertEqual(page.verdict, try capture.sentence("verdict_rejected"))
            let text = try question.question("dermatoscope", language)
            XCTAssertEqual(page.reasons.count, 1)
            XCTAssert(page.reasons[0].contains(text), page.reasons[0])
            XCTAssertFalse(page.advice.isEmpty)
            XCTAssertEqual(page.rows, [])
            XCTAssertNil(page.time)
            XCTAssertFalse(page.hadPicture)
            capture.flow.back()
            XCTAssertEqual(capture.flow.drafts, ["dermatoscope": .no])
            XCTAssertNoThrow(try capture.questions())
        }
    }

    @MainActor
    func testProceedNeedsAllAnswers() async throws {
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
    func testBrokenPictureFailsWithAdviceAndAnotherSucceeds() async throws {
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
    func testModelThatCannotBeOpenedFailsWithoutAPicture() async throws {
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
    func testBackDuringClassificationReturnsToThePictureWithoutAResult() async throws {
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
    func testBackWhileTheModelOpensReturnsToTheFirstScreen() async throws {
        let capture = try Capture()
        capture.flow.choose(.skin)
        let opening = Task { @MainActor in await capture.flow.settled() }
        await Task.yield()
        capture.flow.back()
        await opening.value
        XCTAssertEqual(capture.flow.pages, [])
    }

    @MainActor
    func testSharedPictureClosesTheResultAndIsOfferedOnce() async throws {
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
    func testSharedPictureThatCannotBeReadClosesTheResult() async throws {
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
    func testAgainAndFinishForgetThePictureAndTheAnswers() async throws {
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
    func testBackRemovesOnePage() async throws {
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
    func testSlipHasAllOfTheResult() async throws {
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
            XCTAssertEqual(slip.advice, result.advice)
            XCTAssertEqual(slip.numbersLead, try capture.sentence("findings_lead"))
            XCTAssertEqual(slip.rows.count, expected.findings.count)
            XCTAssertEqual(slip.rows, result.rows)
            XCTAssertEqual(slip.model, result.model)
            XCTAssertEqual(slip.notice, try capture.sentence("app_notice"))
            XCTAssertEqual(slip.pictureGone, try capture.sentence("result_picture_gone"))
        }
    }

    @MainActor
    func testSlipWithoutAPictureHasTheReasons() async throws {
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
    func testWillChangeIsCalledBeforeEachChange() async throws {
        let capture = try Capture()
        var seen: [Int] = []
        capture.flow.willChange = { seen.append(capture.flow.pages.count) }
        capture.flow.choose(.skin)
        XCTAssertEqual(seen.last, 0)
        await capture.flow.settled()
        XCTAssertEqual(seen.last, 1)
    }
}
