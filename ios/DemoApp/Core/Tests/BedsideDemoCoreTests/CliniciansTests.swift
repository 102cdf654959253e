// The page for clinicians: the shares that probabilities assume, and local ones.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class CliniciansTests: XCTestCase, @unchecked Sendable {
    /// A capture at the page for clinicians of the sample.
    @MainActor
    private func opened(_ language: String = "en") async throws -> Capture {
        let capture = try Capture(language)
        await capture.answer()
        try await capture.look(sample)
        capture.flow.openClinicians()
        return capture
    }

    @MainActor
    private func adapt(_ capture: Capture, _ shares: [String: String]) async {
        for (label, share) in shares { capture.flow.setLocalShare(of: label, share) }
        capture.flow.adapt()
        await capture.flow.settled()
    }

    @MainActor
    func testSharesAreThoseOfTheCalibration() async throws {
        let shares = try ModelFile("skin-lesion").shares()
        let names = ["melanoma": "Меланома", "nevus": "Невус (родимка)", "seborrheic_keratosis": "Себорейний кератоз"]
        let capture = try await opened("uk")
        let page = try capture.clinicians()
        XCTAssertEqual(page.shares.map(\.id), ["melanoma", "nevus", "seborrheic_keratosis"])
        for share in page.shares {
            let name = try XCTUnwrap(names[share.id])
            let percent = try capture.percent(XCTUnwrap(shares[share.id]))
            XCTAssertEqual(share.line, try capture.catalogue.sentence("clinicians_share", "uk", name, percent))
            XCTAssertEqual(share.field, try capture.catalogue.sentence("clinicians_field", "uk", name))
        }
    }

    @MainActor
    func testShareOfAGroupIsTheSumOfItsLabels() async throws {
        let capture = try Capture()
        await capture.answer(.chest, ["age": .age(years: "3", months: ""), "frontal_file": .yes])
        try await capture.look("models/samples/person100_bacteria_475.jpeg")
        capture.flow.openClinicians()
        let shares = try ModelFile("chest-xray").shares()
        let pneumonia = try XCTUnwrap(shares["bacterial_pneumonia"]) + XCTUnwrap(shares["viral_pneumonia"])
        let page = try capture.clinicians()
        XCTAssertEqual(page.shares.map(\.id), ["normal", "pneumonia"])
        let percent = try capture.percent(pneumonia)
        XCTAssertEqual(page.shares.last?.line.hasSuffix(": \(percent)"), true, "\(page.shares)")
    }

    @MainActor
    func testLocalSharesReweightTheProbabilitiesAndNothingElse() async throws {
        for language in languages {
            let all = try Expected.all(of: "skin-lesion", language)
            let expected = try XCTUnwrap(all.first { $0.picture == sample })
            let capture = try await opened(language)
            let before = capture.flow.pages
            await adapt(capture, ["melanoma": "2", "nevus": "88", "seborrheic_keratosis": "10,0"])
            let rows = try XCTUnwrap(capture.flow.localRows)
            // Each probability times the ratio of the shares, summing to 1.
            let local = ["melanoma": 0.02, "nevus": 0.88, "seborrheic_keratosis": 0.1]
            let ratios = local.merging(try ModelFile("skin-lesion").shares()) { local, fitted in local / fitted }
            let weighted = expected.findings.map { ($0, $0.probability * ratios[$0.label]!) }
            let sum = weighted.map(\.1).reduce(0, +)
            for (finding, weight) in weighted {
                let row = try XCTUnwrap(rows.first { $0.name == finding.name })
                let near = try [-0.0005, 0, 0.0005].map { shift in
                    try capture.catalogue.sentence(
                        "clinicians_finding", language, capture.percent(weight / sum + shift),
                        capture.percent(finding.operatingPoint))
                }
                XCTAssert(near.contains(row.numbers), "\(row.numbers), not \(near)")
                XCTAssertEqual(row.mark == nil, !finding.isOver)
            }
            XCTAssertEqual(capture.flow.pages, before, "the triage does not change")

            for label in ["melanoma", "nevus", "seborrheic_keratosis"] { capture.flow.setLocalShare(of: label, "") }
            capture.flow.adapt()
            XCTAssertNil(capture.flow.localRows, "without shares, those of the calibration")
            XCTAssertFalse(capture.flow.isSharesWrong)
        }
    }

    @MainActor
    func testSharesThatDoNotSumToAHundredAreRefused() async throws {
        let capture = try await opened()
        await adapt(capture, ["melanoma": "2", "nevus": "88"])
        XCTAssert(capture.flow.isSharesWrong)
        await adapt(capture, ["seborrheic_keratosis": "11"])
        XCTAssert(capture.flow.isSharesWrong)
        XCTAssertNil(capture.flow.localRows)
        capture.flow.setLocalShare(of: "seborrheic_keratosis", "10")
        XCTAssertFalse(capture.flow.isSharesWrong)
    }

    func testLocalSharesAreFractionsOfOne() {
        let labels = ["a", "b", "c"]
        func parsed(_ a: String, _ b: String, _ c: String) -> [String: Float]? {
            LocalShares.parsed(["a": a, "b": b, "c": c], labels: labels)
        }
        XCTAssertEqual(parsed("25", "75", "0"), ["a": 0.25, "b": 0.75, "c": 0])
        XCTAssertNotNil(parsed("33,3", "33.3", "33.3"), "rounded to one digit")
        let wrong = [("33", "33", "33"), ("-10", "60", "50"), ("x", "50", "50"), ("", "50", "50"), ("0", "0", "0")]
        for (a, b, c) in wrong {
            XCTAssertNil(parsed(a, b, c), "\(a), \(b), \(c)")
        }
    }

    @MainActor
    func testAnotherPictureForgetsTheLocalShares() async throws {
        let capture = try await opened()
        await adapt(capture, ["melanoma": "2", "nevus": "88", "seborrheic_keratosis": "10"])
        XCTAssertNotNil(capture.flow.localRows)
        capture.flow.back(to: 2)
        capture.flow.lookAgain()
        await capture.flow.settled()
        XCTAssertNil(capture.flow.localRows)
        XCTAssertEqual(capture.flow.localShares, [:])
    }

    @MainActor
    func testRestoredPageHasItsNumbersAndCannotAdapt() async throws {
        let before = try await opened()
        let after = try Capture()
        after.flow.restore(before.flow.saved)
        XCTAssertEqual(try after.clinicians(), try before.clinicians())
        await adapt(after, ["melanoma": "2", "nevus": "88", "seborrheic_keratosis": "10"])
        XCTAssertNil(after.flow.localRows)
    }
}
