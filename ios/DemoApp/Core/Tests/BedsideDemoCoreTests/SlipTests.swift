// The note for the doctor: what is on it, and which results have none.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class SlipTests: XCTestCase, @unchecked Sendable {
    @MainActor
    func testSlipHasTheResultTheAnswersAndTheSigns() async throws {
        let expected = try Expected.first(ofKind: "several")
        let model = try ModelFile("skin-lesion")
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.skin, ["dermatoscope": .yes, "mole_like": .yes, "nail": .yes])
            try await capture.look(expected.picture, from: .camera)
            let result = try capture.result()
            capture.flow.openSlip()
            let slip = try capture.slip()
            XCTAssertEqual(slip.title, try capture.sentence("slip_title"))
            XCTAssertEqual(slip.caseLine, try capture.catalogue.sentence("slip_case", language, result.case.number))
            let moment = capture.flow.texts.moment(result.case.date)
            XCTAssertEqual(slip.timeLine, try capture.catalogue.sentence("slip_time", language, moment))
            XCTAssertLessThan(abs(result.case.date.timeIntervalSinceNow), 60)
            XCTAssertEqual(slip.fileName, "Bedside-\(result.case.number)")
            XCTAssertEqual(slip.blanks, try ["slip_name", "slip_from", "slip_to"].map(capture.sentence))
            XCTAssertEqual(slip.siteField, try capture.sentence("slip_site_field"))
            XCTAssertEqual(slip.remarks, try capture.sentence("slip_remarks"))
            XCTAssertEqual(slip.resultTitle, try capture.sentence("slip_result"))
            XCTAssertEqual(slip.topic, try capture.sentence("home_skin"))
            XCTAssertEqual(slip.triage, .urgent)
            XCTAssertEqual(slip.triageWord, try capture.sentence("triage_urgent"))
            XCTAssertEqual(slip.verdict, result.verdict)
            XCTAssertEqual(slip.advice, result.advice)
            XCTAssertEqual(slip.danger, [try model.question("nail", language)])
            XCTAssertEqual(slip.howTitle, try capture.sentence("slip_how"))
            let yes = try capture.sentence("questions_yes")
            let answers = try ["dermatoscope", "mole_like"].map { "\(try model.question($0, language)) \(yes)" }
            XCTAssertEqual(slip.how, [try capture.sentence("slip_camera")] + answers)
            XCTAssertEqual(slip.model, result.clinicians?.model)
            XCTAssertEqual(slip.notice, try capture.sentence("app_notice"))
            XCTAssertEqual(slip.pictureGone, try capture.sentence("result_picture_gone"))
        }
    }

    @MainActor
    func testSlipOfUrgentPictureSaysSo() async throws {
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
            XCTAssertEqual(slip.dangerTitle, try capture.sentence("slip_danger"))
            XCTAssertEqual(slip.danger, [try capture.sentence("slip_danger_none")])
            XCTAssertEqual(slip.how.first, try capture.sentence("slip_file"))
        }
    }

    @MainActor
    func testSlipOfADangerSignWithoutAPictureHasTheReasons() async throws {
        let model = try ModelFile("skin-lesion")
        let capture = try Capture("uk")
        await capture.answer(.skin, ["dermatoscope": .no, "mole_like": .yes, "bleeds": .yes])
        let result = try capture.result()
        capture.flow.openSlip()
        let slip = try capture.slip()
        XCTAssertEqual(slip.reasons, result.reasons)
        XCTAssertEqual(slip.reasons.count, 1)
        XCTAssertEqual(slip.dangerTitle, try capture.sentence("result_danger"))
        XCTAssertEqual(slip.danger, [try model.question("bleeds", "uk")])
        XCTAssertEqual(slip.how.first, try capture.sentence("slip_none"))
        XCTAssertNil(slip.pictureGone)
        XCTAssertNil(slip.model)
    }

    @MainActor
    func testChestSlipHasTheAgeAndNoSite() async throws {
        let capture = try Capture()
        await capture.answer(
            .chest, ["age": .age(years: "2", months: "6"), "frontal_file": .yes, "cough": .yes])
        try await capture.look("models/samples/person100_bacteria_475.jpeg")
        capture.flow.openSlip()
        let slip = try capture.slip()
        XCTAssertNil(slip.siteField)
        XCTAssertEqual(slip.how.count, 3)
        XCTAssertEqual(slip.how[1], "How old is the child, in years? years 2, months 6")
    }

    @MainActor
    func testSlipAndResultHaveNoPercentages() async throws {
        for language in languages {
            let capture = try Capture(language)
            await capture.answer(.skin, ["dermatoscope": .yes, "mole_like": .yes, "nail": .yes])
            try await capture.look(sample)
            capture.flow.openSlip()
            let slip = String(decoding: try JSONEncoder().encode(capture.slip()), as: UTF8.self)
            XCTAssertFalse(slip.contains("%"), slip)
            capture.flow.back()
            let result = try capture.result()
            let shown = [result.verdict, result.advice] + result.reasons + result.danger
            XCTAssertFalse(shown.joined().contains("%"), "\(shown)")
        }
    }

    @MainActor
    func testNoSignHasNoSlipAndDoesNotReassure() async throws {
        // From docs/copy/deck.toml.
        let advice = [
            "en": "No warning sign in this picture. That does not make it harmless: go by the danger signs.",
            "uk": "На знімку немає ознак небезпеки. Це не робить його безпечним: зважайте на небезпечні ознаки.",
        ]
        let levels = ["no_sign", "no_sign", "no_sign"]
        let model = try TinyModel(levels: levels, calibration: ["no_sign": true, "temperature": 1])
        for language in languages {
            let capture = try Capture(language, modelPath: { _ in model.file })
            await capture.answer(.skin, [:])
            try await capture.look(goldenPicture)
            let result = try capture.result()
            XCTAssertEqual(result.triage, .noSign)
            XCTAssertEqual(result.advice, advice[language])
            XCTAssertFalse(result.hasSlip)
            capture.flow.openSlip()
            XCTAssertNoThrow(try capture.result(), "no slip was opened")
        }
    }

    func testSiteIsOneShortLine() throws {
        let catalogue = try Catalogue()
        for language in languages {
            let texts = catalogue.texts(language)
            let line = try catalogue.sentence("slip_site", language, "left forearm")
            XCTAssertEqual(texts.siteLine(" left \n forearm "), line)
            XCTAssertNil(texts.siteLine(" \n"))
            let long = try XCTUnwrap(texts.siteLine(String(repeating: "x", count: 500)))
            XCTAssertEqual(long.filter { $0 == "x" }.count, 80)
        }
    }
}
