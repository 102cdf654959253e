// Captures of photos, of which a person chooses the part that is looked at.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class PhotoTests: XCTestCase, @unchecked Sendable {
    private let part = Part(left: 0.25, top: 0.125, width: 0.5, height: 0.75)
    private let inScope: [String: Draft] = [
        "adult": .yes, "one_spot": .yes, "plain_skin": .yes, "untouched": .yes, "burns": .yes,
    ]

    /// A capture with a small model at the choice of the golden picture's part.
    @MainActor
    private func cropping(_ model: TinyModel) async throws -> Capture {
        let capture = try Capture(modelPath: { _ in model.file })
        await capture.answer(.photo, [:])
        try await capture.look(goldenPicture)
        XCTAssertEqual(capture.flow.pages.last, .crop(.photo))
        return capture
    }

    @MainActor
    private func crop(_ capture: Capture, to part: Part?) async {
        capture.flow.crop(to: part)
        XCTAssertEqual(capture.flow.pages.last, .working(.photo))
        await capture.flow.settled()
    }

    /// What the page for clinicians says of a part, by the library alone.
    @MainActor
    private func numbers(_ capture: Capture, _ model: String, _ picture: String, _ query: Query) throws -> [String] {
        let image = try Image.fromBytes(bytes: bytes(picture))
        let report = try Classifier.open(path: model).classify(image: image, query: query)
        return CliniciansPage.rows(report, texts: capture.flow.texts).map(\.numbers)
    }

    func testPhotoIsTheFirstTopicAndTheChestTheLast() {
        XCTAssertEqual(Topic.allCases, [.photo, .skin, .breast, .chest])
        XCTAssertEqual(Topic.allCases.filter(\.isCropped), [.photo])
        XCTAssertEqual(Topic.allCases.filter(\.isPhotographed), [.photo, .skin])
    }

    @MainActor
    func testThePartIsClassifiedAndNothingElse() async throws {
        let model = try TinyModel()
        let capture = try await cropping(model)
        await crop(capture, to: part)
        let result = try capture.result()
        XCTAssertEqual(result.case.part, part)
        let region = Region(left: 0.25, top: 0.125, width: 0.5, height: 0.75)
        let wanted = try numbers(capture, model.file, goldenPicture, Query(region: region))
        XCTAssertEqual(result.clinicians?.rows.map(\.numbers), wanted)
        XCTAssertNotEqual(wanted, try numbers(capture, model.file, goldenPicture, Query()))
        capture.flow.openSlip()
        XCTAssertEqual(try capture.slip().part, part)
    }

    @MainActor
    func testPictureThatCannotBeShownIsLookedAtAsAWhole() async throws {
        let model = try TinyModel()
        let capture = try await cropping(model)
        await crop(capture, to: nil)
        let result = try capture.result()
        XCTAssertNil(result.case.part)
        XCTAssertEqual(
            result.clinicians?.rows.map(\.numbers), try numbers(capture, model.file, goldenPicture, Query()))
    }

    @MainActor
    func testBackLeadsFromThePartAndFromTheResultToThePicture() async throws {
        let model = try TinyModel()
        let capture = try await cropping(model)
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages.last, .picture(.photo))
        capture.flow.crop(to: part)
        XCTAssertEqual(capture.flow.pages.last, .picture(.photo), "no part without its page")

        capture.flow.lookAgain()
        XCTAssertEqual(capture.flow.pages.last, .crop(.photo), "the part of the same picture is chosen anew")
        await crop(capture, to: part)
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages.last, .picture(.photo))
    }

    @MainActor
    func testAnotherPictureForgetsThePart() async throws {
        let model = try TinyModel()
        let capture = try await cropping(model)
        await crop(capture, to: part)
        capture.flow.back()
        try await capture.look(sample)
        await crop(capture, to: nil)
        XCTAssertNil(try capture.result().case.part)
    }

    @MainActor
    func testLocalSharesAreOfTheSamePart() async throws {
        let model = try TinyModel(calibration: ["temperature": 1, "prevalence": [0.25, 0.25, 0.5]])
        let capture = try await cropping(model)
        await crop(capture, to: part)
        let rows = try capture.result().clinicians?.rows
        capture.flow.openClinicians()
        for (label, share) in ["a": "25", "b": "25", "c": "50"] { capture.flow.setLocalShare(of: label, share) }
        capture.flow.adapt()
        await capture.flow.settled()
        XCTAssertEqual(capture.flow.localRows, rows, "the shares of the calibration give its probabilities")
    }

    @MainActor
    func testRestoredFlowHasThePartOfItsResultButNoPartToChoose() async throws {
        let model = try TinyModel()
        let before = try await cropping(model)
        let after = try Capture(modelPath: { _ in model.file })
        after.flow.restore(before.flow.saved)
        XCTAssertEqual(after.flow.pages.last, .picture(.photo), "the picture is gone")

        await crop(before, to: part)
        let later = try Capture(modelPath: { _ in model.file })
        later.flow.restore(before.flow.saved)
        XCTAssertEqual(try later.result().case.part, part)
    }

    @MainActor
    func testBrokenPhotoFailsAfterThePart() async throws {
        let model = try TinyModel()
        let capture = try Capture(modelPath: { _ in model.file })
        await capture.answer(.photo, [:])
        capture.flow.look(at: try bytes(sample).prefix(3000), from: .file)
        await crop(capture, to: nil)
        XCTAssertEqual(try capture.failure().text, try capture.sentence("error_malformed_image"))
        capture.flow.back()
        XCTAssertEqual(capture.flow.pages.last, .picture(.photo))
    }

    // MARK: With the shipped model

    @MainActor
    func testQuestionsEqualThoseOfTheModel() async throws {
        let model = try ModelFile("skin-photo")
        for language in languages {
            let capture = try Capture(language)
            capture.flow.choose(.photo)
            await capture.flow.settled()
            let page = try capture.questions()
            XCTAssertEqual(page.madeFor, try model.text("intended_use", language))
            XCTAssertEqual(page.questions.map(\.id), ["adult", "one_spot", "plain_skin", "untouched", "burns"])
            XCTAssertEqual(page.signs.map(\.id), ["changed", "lump", "sore", "bleeds", "nail"])
            for question in page.signs + page.questions {
                XCTAssertEqual(question.text, try model.question(question.id, language))
            }
        }
    }

    @MainActor
    func testAnswerOutOfScopeRejectsBeforeThePhoto() async throws {
        for question in inScope.keys {
            let capture = try Capture()
            await capture.answer(.photo, inScope.merging([question: .no]) { $1 })
            XCTAssertEqual(try capture.result().reasons.count, 1, question)
            XCTAssertEqual(capture.flow.pages.count, 2, "no picture was asked for")
        }
    }

    @MainActor
    func testShippedModelClassifiesThePart() async throws {
        let capture = try Capture()
        await capture.answer(.photo, inScope)
        try await capture.look(sample, from: .camera)
        await crop(capture, to: part)
        let answers = inScope.mapValues { _ in Answer.yes }
        let query = Query(region: part.region, answers: answers, source: .camera)
        XCTAssertEqual(
            try capture.result().clinicians?.rows.map(\.numbers),
            try numbers(capture, shippedModel(.photo), sample, query))
        capture.flow.openSlip()
        XCTAssertEqual(try capture.slip().siteField, try capture.sentence("slip_site_field"))
    }
}
