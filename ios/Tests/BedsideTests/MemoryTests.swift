// Memory stays flat over thousands of pictures, reports, cancel handles and classifiers.

import Foundation
import XCTest

@testable import Bedside

/// The maximum growth of resident memory, in bytes. It is less than 10,000 golden pictures (25 MB), 10,000 reports (20
/// MB), 200 classifiers of the tiny model (20 MB or more) or 500,000 cancel handles (16 MB).
private let bound = 8 << 20

final class MemoryTests: XCTestCase {
    /// Resident memory in bytes: VmRSS of proc(5), after the allocator gave free memory back to the system. Otherwise a
    /// leak could fill memory that earlier tests freed.
    private func resident() throws -> Int {
        #if os(Linux)
        let mallocTrim = try XCTUnwrap(dlsym(dlopen(nil, RTLD_NOW), "malloc_trim"))
        _ = unsafeBitCast(mallocTrim, to: (@convention(c) (Int) -> Int32).self)(0)
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = try XCTUnwrap(status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") })
        return try XCTUnwrap(Int(line.filter(\.isNumber))) << 10
        #else
        throw XCTSkip("resident memory is read from /proc")
        #endif
    }

    /// Runs `body` `rounds / 10` times, then `rounds` times more, and fails where the latter add more than the bound.
    private func assertFlat(
        _ rounds: Int, file: StaticString = #filePath, line: UInt = #line, _ body: () throws -> Void
    ) throws {
        for _ in 0..<rounds / 10 { try body() }
        let before = try resident()
        for _ in 0..<rounds { try body() }
        let growth = try resident() - before
        print("\(rounds) rounds: resident memory \(before >> 10) kB, \(growth >> 10) kB more in the end")
        XCTAssertLessThan(growth, bound, file: file, line: line)
    }

    override func setUpWithError() throws {
        // Otherwise the loggers of earlier tests would keep records.
        _ = try RecordingLogger.install(level: .error)
    }

    func testMemoryStaysFlatOverPicturesReportsAndHandles() throws {
        let classifier = try TinyModel().classifier()
        let file = try bytes("tests/golden/graphs/picture.png")
        try assertFlat(10_000) {
            let query = Query(cancel: try CancelHandle())
            _ = try classifier.classify(image: Image.fromBytes(bytes: file).mirrored(), query: query)
        }
    }

    func testMemoryStaysFlatOverCancelHandles() throws {
        try assertFlat(500_000) { try CancelHandle().cancel() }
    }

    func testMemoryStaysFlatOverFrames() throws {
        let classifier = try TinyModel().classifier()
        let (pixels, format) = (Picture.slope().rgb, Picture.slope().rgbFormat())
        try assertFlat(2_000) {
            _ = try classifier.classifyFrame(pixels, format: format)
            _ = try Image.fromFrame(pixels, format: format)
        }
    }

    func testMemoryStaysFlatOverErrors() throws {
        let classifier = try TinyModel().classifier()
        let noPicture = try Image.fromBytes(bytes: Data(count: 4096))
        try assertFlat(10_000) {
            guard (try? classifier.classify(image: noPicture)) == nil else { return XCTFail("not an error") }
        }
    }

    func testMemoryStaysFlatOverClassifiers() throws {
        let model = try TinyModel()
        let picture = try goldenPicture()
        try assertFlat(200) { _ = try model.classifier().classify(image: picture) }
    }

    func testMemoryStaysFlatWithTheShippedModel() throws {
        guard ProcessInfo.processInfo.environment["BEDSIDE_SOAK"] == "1" else {
            throw XCTSkip("set BEDSIDE_SOAK=1: takes long")
        }
        let picture = try Image.open(path: path(samples[4]))
        try assertFlat(200) {
            _ = try Classifier.open(path: shippedModel).classify(image: picture, query: dermatoscopeQuery)
        }
        let classifier = try Classifier.open(path: shippedModel)
        let file = try bytes(samples[4])
        try assertFlat(10_000) {
            _ = try classifier.classify(image: Image.fromBytes(bytes: file), query: dermatoscopeQuery)
        }
    }
}
