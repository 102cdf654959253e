// Pictures that are refused for their quality, and pictures that only the system decodes.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

final class QualityTests: XCTestCase, @unchecked Sendable {
    private let dark = uniformBitmap(gray: 20)

    @MainActor
    private func capture() async throws -> Capture {
        let model = try TinyModel(calibration: ["quality": ["dark": ["max": 0.75]]])
        let capture = try Capture(modelPath: { _ in model.file })
        await capture.answer(.skin, [:])
        return capture
    }

    @MainActor
    private func look(_ capture: Capture, from source: PictureSource) async throws -> ResultPage {
        capture.flow.look(at: dark, from: source)
        await capture.flow.settled()
        return try capture.result()
    }

    @MainActor
    func testFirstRefusalOfTheCameraMayBeTakenAgain() async throws {
        let capture = try await capture()
        let first = try await look(capture, from: .camera)
        XCTAssertEqual(first.triage, .unassessed)
        XCTAssertEqual(first.reasons, ["The picture is too dark. Take it again with more light."])
        XCTAssert(first.mayRetake)
        XCTAssertFalse(first.hasSlip)
        XCTAssertEqual(first.clinicians?.decidedBy, try capture.sentence("clinicians_decided_quality"))
        XCTAssertEqual(first.clinicians?.rows, [])
        XCTAssertEqual(first.clinicians?.isAdaptable, false)
        capture.flow.retake()
        XCTAssertEqual(capture.flow.pages.last, .picture(.skin))
        XCTAssertNil(capture.flow.samePicture, "the same picture is no use")

        let second = try await look(capture, from: .camera)
        XCTAssertEqual(second.triage, .refer)
        XCTAssertEqual(second.reasons, ["The picture is too dark: examine without the program."])
        XCTAssertFalse(second.mayRetake)
        XCTAssert(second.hasSlip)
        XCTAssertEqual(second.clinicians?.decidedBy, try capture.sentence("clinicians_decided_repeated_quality"))
    }

    @MainActor
    func testRefusedFileIsNotTakenAgain() async throws {
        let capture = try await capture()
        let page = try await look(capture, from: .file)
        XCTAssertEqual(page.triage, .unassessed)
        XCTAssertFalse(page.mayRetake)
        capture.flow.retake()
        XCTAssertEqual(try capture.result(), page)
    }

    @MainActor
    func testNewCaseForgetsRefusals() async throws {
        let capture = try await capture()
        _ = try await look(capture, from: .camera)
        capture.flow.again()
        await capture.flow.settled()
        capture.flow.proceed()
        await capture.flow.settled()
        let page = try await look(capture, from: .camera)
        XCTAssert(page.mayRetake)
    }

    @MainActor
    func testRestoredCaseKeepsItsRefusals() async throws {
        let model = try TinyModel(calibration: ["quality": ["dark": ["max": 0.75]]])
        let before = try Capture(modelPath: { _ in model.file })
        await before.answer(.skin, [:])
        _ = try await look(before, from: .camera)
        let after = try Capture(modelPath: { _ in model.file })
        after.flow.restore(before.flow.saved)
        after.flow.retake()
        let page = try await look(after, from: .camera)
        XCTAssertEqual(page.triage, .refer)
    }

    @MainActor
    func testSharpPictureIsNoRefusal() async throws {
        let capture = try await capture()
        try await capture.look(goldenPicture, from: .camera)
        XCTAssertFalse(try capture.result().mayRetake)
        XCTAssertNotNil(capture.flow.samePicture)
        capture.flow.back()
        let page = try await look(capture, from: .camera)
        XCTAssert(page.mayRetake)
    }

    @MainActor
    func testPictureThatTheLibraryDoesNotDecodeGoesThroughTheSystem() async throws {
        let gif = Data("GIF89a".utf8) + Data(count: 64)
        let known = try bytes(sample)
        let capture = try Capture(decode: { try $0 == gif ? Image.fromBytes(bytes: known) : nil })
        await capture.answer()
        try await capture.look(sample)
        let rows = try capture.result().clinicians?.rows
        capture.flow.back()
        capture.flow.look(at: gif, from: .file)
        await capture.flow.settled()
        XCTAssertEqual(try capture.result().clinicians?.rows, rows)
        capture.flow.back()
        capture.flow.look(at: Data("GIF89a".utf8) + Data(count: 65), from: .file)
        await capture.flow.settled()
        XCTAssertEqual(try capture.failure().text, try capture.sentence("error_unsupported_image"))
    }

    @MainActor
    func testErrorOfTheSystemDecoderIsShown() async throws {
        let capture = try Capture(decode: { _ in throw BedsideError.TooLarge(message: "") })
        await capture.answer()
        capture.flow.look(at: Data("GIF89a".utf8) + Data(count: 64), from: .file)
        await capture.flow.settled()
        XCTAssertEqual(try capture.failure().text, try capture.sentence("error_too_large"))
        capture.flow.back()
        capture.flow.look(at: try bytes(sample).prefix(3000), from: .file)
        await capture.flow.settled()
        XCTAssertEqual(
            try capture.failure().text, try capture.sentence("error_malformed_image"), "only for other formats")
    }
}

/// A BMP file of 64 by 64 pixels of one grey.
private func uniformBitmap(gray: UInt8) -> Data {
    func little(_ value: Int, _ count: Int) -> Data { Data((0..<count).map { UInt8(value >> (8 * $0) & 255) }) }
    let pixels = Data(repeating: gray, count: 64 * 64 * 3)
    let header = little(40, 4) + little(64, 4) + little(64, 4) + little(1, 2) + little(24, 2) + Data(count: 24)
    return Data("BM".utf8) + little(54 + pixels.count, 4) + little(0, 4) + little(54, 4) + header + pixels
}
