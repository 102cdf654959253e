// Danger signs: tapped before the picture, and what they do to a result.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class DangerTests: XCTestCase, @unchecked Sendable {
    @MainActor
    func testTapStatesASignAndAnotherTakesItBack() async throws {
        let capture = try Capture()
        capture.flow.choose(.skin)
        await capture.flow.settled()
        capture.flow.tap(sign: "bleeds")
        XCTAssertEqual(capture.flow.drafts, ["bleeds": .yes])
        XCTAssertEqual(try capture.questions().answers(capture.flow.drafts), ["bleeds": .yes])
        capture.flow.tap(sign: "bleeds")
        XCTAssertEqual(capture.flow.drafts, [:])
    }

    @MainActor
    func testSignThatAsksForMoreThanThePictureDecides() async throws {
        let model = try ModelFile("skin-lesion")
        for language in languages {
            let all = try Expected.all(of: "skin-lesion", language)
            let expected = try XCTUnwrap(all.first { $0.triage != "urgent" }, "no sample is less than urgent")
            let capture = try Capture(language)
            await capture.answer(.skin, ["dermatoscope": .yes, "mole_like": .yes, "bleeds": .yes, "changed": .yes])
            try await capture.look(expected.picture)
            let page = try capture.result()
            XCTAssertEqual(page.triage, .urgent)
            XCTAssert(page.isByDanger)
            XCTAssertEqual(page.danger, try ["changed", "bleeds"].map { try model.question($0, language) })
            XCTAssertEqual(page.verdict, expected.summary)
            XCTAssertEqual(page.clinicians?.decidedBy, try capture.sentence("clinicians_decided_danger"))
        }
    }

    @MainActor
    func testSignOfALowerLevelThanThePictureDoesNotDecide() async throws {
        let expected = try XCTUnwrap(Expected.all().first { $0.triage == "urgent" })
        let capture = try Capture()
        await capture.answer(.skin, ["dermatoscope": .yes, "mole_like": .yes, "changed": .yes])
        try await capture.look(expected.picture)
        XCTAssertFalse(try capture.result().isByDanger)
        XCTAssertEqual(try capture.result().danger.count, 1, "the slip has it")
    }

    @MainActor
    func testSignDecidesWhereTheAnswersRejectEveryPicture() async throws {
        let model = try ModelFile("skin-lesion")
        let capture = try Capture()
        await capture.answer(.skin, ["dermatoscope": .no, "mole_like": .yes, "bleeds": .yes])
        let page = try capture.result()
        XCTAssertEqual(page.triage, .urgent)
        XCTAssertEqual(page.advice, try model.advice("urgent", "en"))
        XCTAssert(page.isByDanger)
        XCTAssertEqual(page.danger, [try model.question("bleeds", "en")])
        XCTAssertEqual(page.reasons.count, 1)
        XCTAssertFalse(page.isUnassessed)
        XCTAssert(page.hasSlip)
    }

    func testResultsOfferNoWayToChangeAnAnswer() throws {
        let view = try String(
            contentsOf: repository.appendingPathComponent("ios/DemoApp/DemoApp/ResultView.swift"), encoding: .utf8)
        XCTAssertFalse(view.contains("flow.back"), "only the system's way back")
    }
}
