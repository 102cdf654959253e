// The flow after the system ended the app and the app started again.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class RestoredTests: XCTestCase, @unchecked Sendable {
    /// A new flow, restored from the text of another.
    @MainActor
    private func restored(_ saved: String, _ language: String = "en") throws -> Capture {
        let capture = try Capture(language)
        capture.flow.restore(saved)
        return capture
    }

    @MainActor
    func testRestoredFlowHasResultAndSlipWithoutThePicture() async throws {
        for language in languages {
            let before = try Capture(language)
            await before.answer()
            try await before.look(sample)
            before.flow.openSlip()
            before.flow.site = "left forearm"
            let after = try restored(before.flow.saved, language)
            XCTAssertEqual(after.flow.pages, before.flow.pages)
            XCTAssertEqual(after.flow.drafts, before.flow.drafts)
            XCTAssertEqual(after.flow.site, "left forearm")
            XCTAssertNil(after.flow.picture)
            XCTAssertNotNil(try after.slip().pictureGone)
        }
    }

    @MainActor
    func testRestoredFlowContinues() async throws {
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
        atQuestions.flow.answer("mole_like", .yes)
        let again = try restored(atQuestions.flow.saved)
        again.flow.proceed()
        await again.flow.settled()
        XCTAssertEqual(try again.result().triage, .unassessed)
    }

    @MainActor
    func testRestoredFlowIsAtThePageBeforeUnfinishedWork() async throws {
        let before = try Capture()
        await before.answer()
        before.flow.look(at: try bytes(sample), from: .file)
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
    func testRestoreIgnoresAnotherLanguageAndOtherTexts() async throws {
        let before = try Capture("uk")
        await before.answer()
        for saved in ["", "junk", "{}"] { XCTAssertEqual(try restored(saved).flow.pages, []) }
        XCTAssertEqual(try restored(before.flow.saved, "en").flow.pages, [])
        XCTAssertEqual(try restored(before.flow.saved, "uk").flow.pages.count, 2)
    }

    @MainActor
    func testSavedFlowHoldsNoPicture() async throws {
        let before = try Capture()
        await before.answer()
        try await before.look(sample)
        XCTAssertLessThan(before.flow.saved.utf8.count, 5000)
        XCTAssertFalse(before.flow.saved.contains(try bytes(sample).prefix(60).base64EncodedString()))
    }
}
