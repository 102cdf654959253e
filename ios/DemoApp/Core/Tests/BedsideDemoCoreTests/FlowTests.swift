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
            XCTAssertEqual(page.questions.map(\.id), ["dermatoscope", "mole_like"])
            XCTAssertEqual(page.signs.map(\.id), ["changed", "lump", "sore", "bleeds", "nail"])
            XCTAssertEqual(page.signs[3].text, try model.question("bleeds", language))
            XCTAssertEqual(page.signs[3].kind, .sign)
            XCTAssertFalse(page.signs[3].isRequired)
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
    func testAnswerOutOfScopeRejectsBeforeThePicture() async throws {
        let question = try ModelFile("skin-lesion")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.skin, ["dermatoscope": .no, "mole_like": .yes])
            let page = try capture.result()
            XCTAssertEqual(capture.flow.pages.count, 2, "no picture was asked for")
            XCTAssertEqual(page.triage, .unassessed)
            XCTAssertEqual(page.verdict, try capture.sentence("verdict_rejected"))
            let text = try question.question("dermatoscope", language)
            XCTAssertEqual(page.reasons.count, 1)
            XCTAssert(page.reasons[0].contains(text), page.reasons[0])
            XCTAssertFalse(page.advice.isEmpty)
            XCTAssert(page.isUnassessed)
            XCTAssertFalse(page.mayRetake)
            XCTAssertFalse(page.hasSlip)
            XCTAssertFalse(page.hadPicture)
            capture.flow.openClinicians()
            capture.flow.openSlip()
            capture.flow.retake()
            XCTAssertEqual(capture.flow.pages.count, 2, "neither page is there, and there is nothing to take again")
            capture.flow.back()
            XCTAssertEqual(capture.flow.drafts, ["dermatoscope": .no, "mole_like": .yes])
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
        capture.flow.answer("mole_like", .yes)
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
                capture.flow.look(at: bytes, from: .file)
                await capture.flow.settled()
                XCTAssertEqual(try capture.failure().text, try capture.sentence(key))
                XCTAssert(try capture.failure().isAboutPicture)
                capture.flow.back()
                XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
                XCTAssertEqual(capture.flow.samePicture, bytes, "the same picture can be tried again")
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
        capture.flow.look(at: try bytes(sample), from: .file)
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
        capture.flow.look(at: shared, from: .file)
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
        XCTAssertEqual(capture.flow.drafts, ["dermatoscope": .yes, "mole_like": .yes])
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages, [])
        XCTAssertEqual(capture.flow.drafts, [:])
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages, [])
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
