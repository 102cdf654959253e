// A panic in the library becomes an error. The test needs a library that was built with the feature `test-panic`.

import Foundation
import XCTest

@testable import Bedside

final class PanicTests: XCTestCase {
    /// Makes the next call panic.
    private typealias Arm = @convention(c) () -> Void

    /// The function that makes the next call panic, which only a library with `test-panic` exports.
    private func panicSymbol() -> Arm? {
        dlsym(dlopen(nil, RTLD_NOW), "bedside_test_panic").map { unsafeBitCast($0, to: Arm.self) }
    }

    private func arm() throws -> Arm {
        guard ProcessInfo.processInfo.environment["BEDSIDE_TEST_PANIC"] == "1" else {
            throw XCTSkip("set BEDSIDE_TEST_PANIC=1 with a library built with the feature test-panic")
        }
        return try XCTUnwrap(panicSymbol(), "bedside_test_panic is missing: build with the feature test-panic")
    }

    func testPanicIsInternalErrorAndTheNextCallSucceeds() throws {
        let arm = try arm()
        let (classifier, picture) = (try TinyModel().classifier(), try goldenPicture())
        let wanted = bits(try classifier.classify(image: picture))
        let calls: [(String, () throws -> Any)] = [
            ("classify", { try classifier.classify(image: picture) }),
            ("classifyFrame", { try classifier.classifyFrame(Data([1]), format: encodedFormat) }),
            ("open", { try Image.open(path: path(samples[0])) }),
            ("fromBytes", { try Image.fromBytes(bytes: Data()) }),
            ("mirrored", { try picture.mirrored() }),
            ("CancelHandle", { try CancelHandle() }),
            ("manifest", { try classifier.manifest() }),
            ("warmUp", { try classifier.warmUp() }),
        ]
        for (name, call) in calls {
            arm()
            XCTAssertThrowsError(try call(), name) { error in
                XCTAssertEqual((error as? BedsideError)?.kind, .internal, "\(name): \(error)")
                XCTAssert(error.localizedDescription.contains("provoked for a test"), error.localizedDescription)
            }
            XCTAssertEqual(bits(try classifier.classify(image: picture)), wanted, "after \(name)")
        }
    }

    func testShippedLibraryHasNoPanicSymbol() throws {
        if ProcessInfo.processInfo.environment["BEDSIDE_TEST_PANIC"] == "1" {
            throw XCTSkip("this library is for tests")
        }
        XCTAssertNil(panicSymbol())
    }
}
