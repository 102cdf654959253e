// Every kind of error that a caller can provoke, and its message.

import Foundation
import XCTest

@testable import Bedside

final class ErrorTests: XCTestCase {
    func testMissingFileIsIoError() throws {
        assertThrows(.io, saying: "no-such.jpg") { try Image.open(path: "/no-such.jpg") }
        assertThrows(.io, saying: "no-such.onnx") { try Classifier.open(path: "/no-such.onnx") }
    }

    func testImageOfUnknownFormatIsUnsupported() throws {
        let classifier = try TinyModel().classifier()
        let gif = try Image.fromBytes(bytes: Data("GIF89a".utf8) + Data(count: 64))
        assertThrows(.unsupportedImage, saying: "GIF") { try classifier.classify(image: gif) }
        let heic = try Image.fromBytes(bytes: Data([0, 0, 0, 24]) + Data("ftypheic".utf8) + Data(count: 64))
        assertThrows(.unsupportedImage, saying: "HEIC") { try classifier.classify(image: heic) }
    }

    func testTruncatedImageIsMalformed() throws {
        let classifier = try TinyModel().classifier()
        let truncated = try Image.fromBytes(bytes: bytes(samples[0]).prefix(3000))
        assertThrows(.malformedImage) { try classifier.classify(image: truncated) }
        assertThrows(.malformedImage) { try classifier.classify(image: Image.fromBytes(bytes: Data())) }
    }

    func testImageOrModelOverTheLimitsIsTooLarge() throws {
        let fewPixels = Options(limits: Limits(maxDeclaredPixels: 1023))
        assertThrows(.tooLarge, saying: "max_declared_pixels") {
            try TinyModel().classifier(options: fewPixels).classify(image: goldenPicture())
        }
        // The picture has 1024 pixels of three bytes each.
        let fewBytes = Options(limits: Limits(maxDecodedBytes: 3071))
        assertThrows(.tooLarge, saying: "max_decoded_bytes") {
            try TinyModel().classifier(options: fewBytes).classify(image: goldenPicture())
        }
        let enoughPixels = Options(limits: Limits(maxDeclaredPixels: 1024))
        XCTAssertNoThrow(try TinyModel().classifier(options: enoughPixels).classify(image: goldenPicture()))
        let smallModels = Options(limits: Limits(maxModelBytes: 100))
        assertThrows(.tooLarge) { try TinyModel().classifier(options: smallModels) }
    }

    func testModelOfOtherBytesIsMalformed() throws {
        assertThrows(.malformedModel) { try Classifier.fromBytes(bytes: Data("not a model".utf8)) }
    }

    func testModelWithUnknownOperatorIsUnsupported() throws {
        let model = try TinyModel(graph: "unknown-operator.onnx")
        assertThrows(.unsupportedModel, saying: "org.example.Frobnicate", "head/frob") { try model.classifier() }
    }

    func testModelWithoutManifestIsInvalid() throws {
        assertThrows(.invalidManifest) { try TinyModel(manifest: nil).classifier() }
    }

    func testQueryThatDoesNotFitTheModelIsInvalid() throws {
        let classifier = try TinyModel().classifier()
        assertThrows(.invalidQuery, saying: "allow: ", "`d`", "a, b, c") {
            try classifier.classify(image: goldenPicture(), query: Query(allow: ["d"]))
        }
        let notANumber = Query(scoreThreshold: .nan)
        assertThrows(.invalidQuery, saying: "score_threshold") { try classifier.check(query: notANumber) }
        let outside = Region(left: 0.5, top: 0, width: 0.6, height: 1)
        assertThrows(.invalidQuery) { try classifier.check(query: Query(region: outside)) }
    }

    func testUsedCancelHandleEndsClassifications() throws {
        let classifier = try TinyModel().classifier()
        let handle = try CancelHandle()
        let query = Query(cancel: handle)
        XCTAssertFalse(try handle.isCancelled())
        XCTAssertNoThrow(try classifier.classify(image: goldenPicture(), query: query))
        try handle.cancel()
        XCTAssert(try handle.isCancelled())
        assertThrows(.cancelled, saying: "cancelled") {
            try classifier.classify(image: goldenPicture(), query: query)
        }
    }

    func testSelfTestFailsWhereScoresDiffer() throws {
        let picture = try bytes("tests/golden/graphs/picture.png").base64EncodedString()
        var manifest = TinyModel.manifest
        manifest["golden"] =
            ["by": "lab", "input": ["image": picture], "scores": [0.82, 0.11, 0.07]] as [String: Any]
        let classifier = try TinyModel(manifest: manifest).classifier()
        assertThrows(.selfTest) { try classifier.selfTest() }
    }

    func testErrorDescriptionIsItsMessage() throws {
        XCTAssertThrowsError(try Image.open(path: "/no-such.jpg")) { error in
            XCTAssertEqual((error as? BedsideError)?.message, error.localizedDescription)
            XCTAssertEqual("\(error)", error.localizedDescription)
            XCTAssert(error.localizedDescription.hasPrefix("/no-such.jpg: "), error.localizedDescription)
        }
    }
}
