// The library's log, and a way to stop at the end of a stage.

import Foundation
import XCTest

@testable import Bedside

/// Keeps what the library logs, and may stop a classification after a stage until it is let go.
final class Records: Logger, @unchecked Sendable {
    struct Record {
        let level: LogLevel
        let target: String
        let message: String
    }

    private let lock = NSLock()
    private var kept: [Record] = []
    private var pause: (stage: String, pause: Pause)?

    /// Takes the place of the logger before.
    static func listening(level: LogLevel? = .trace) throws -> Records {
        let records = Records()
        try setLogger(logger: records, level: level)
        return records
    }

    func log(level: LogLevel, target: String, message: String) {
        let pause = lock.withLock {
            kept.append(Record(level: level, target: target, message: message))
            guard let (stage, pause) = self.pause, message.hasPrefix(stage + " ") else { return nil as Pause? }
            self.pause = nil
            return pause
        }
        pause?.hold()
    }

    var all: [Record] { lock.withLock { kept } }

    /// The stages that ended, in their order.
    var stages: [String] {
        all.filter { $0.target == "bedside::stages" }.map { String($0.message.prefix { $0 != " " }) }
    }

    /// Holds the next classification that ends this stage.
    func pause(after stage: String) -> Pause {
        let pause = Pause()
        lock.withLock { self.pause = (stage, pause) }
        return pause
    }
}

/// A place where one thread waits for another.
final class Pause: Sendable {
    private let arrived = DispatchSemaphore(value: 0)
    private let released = DispatchSemaphore(value: 0)

    fileprivate func hold() {
        arrived.signal()
        _ = released.wait(timeout: .now() + 60)
    }

    /// Waits until the classification is there, and fails where it never comes.
    func waitUntilReached(file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(arrived.wait(timeout: .now() + 60), .success, "not reached", file: file, line: line)
    }

    func letGo() {
        released.signal()
    }
}

/// Throws whatever is logged, and counts it.
private final class Refusing: Logger, @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    func log(level: LogLevel, target: String, message: String) throws {
        lock.withLock { count += 1 }
        if message.hasPrefix("decode") { throw BedsideError.Io(message: "no room for the log") }
        throw CancellationError()
    }

    var refused: Int { lock.withLock { count } }
}

final class LoggerTests: XCTestCase {
    func testALoggerThatThrowsEndsNoClassification() throws {
        let classifier = try TinyModel().classifier()
        let wanted = bits(try classifier.classify(image: goldenPicture()))
        let refusing = Refusing()
        try setLogger(logger: refusing, level: .trace)
        XCTAssertEqual(bits(try classifier.classify(image: goldenPicture())), wanted)
        XCTAssertEqual(refusing.refused, 4, "one for each stage")
        _ = try Records.listening()
    }

    func testALoggerThatWasTakenOffHearsNoMore() throws {
        let classifier = try TinyModel().classifier()
        let records = try Records.listening()
        _ = try classifier.classify(image: goldenPicture())
        let heard = records.all.count
        XCTAssertGreaterThanOrEqual(heard, 4, "one for each stage")
        try setLogger(logger: nil, level: .trace)
        _ = try classifier.classify(image: goldenPicture())
        XCTAssertEqual(records.all.count, heard)
    }

    func testEveryStageIsLoggedAtTrace() throws {
        let classifier = try TinyModel().classifier()
        let records = try Records.listening()
        _ = try classifier.classify(image: goldenPicture())
        XCTAssertEqual(records.stages, ["decode", "preprocess", "engine", "verdict"])
        let stages = records.all.filter { $0.target == "bedside::stages" }
        XCTAssert(stages.allSatisfy { $0.level == .trace })
    }

    func testNothingOfThePictureOrItsResultIsLogged() throws {
        let records = try Records.listening()
        let classifier = try Classifier.open(path: shippedModel)
        let report = try classifier.classify(image: Image.open(path: path(samples[4])), query: throughDermatoscope)
        _ = try? classifier.classify(image: Image.fromBytes(bytes: bytes(samples[4]).prefix(3000)))
        XCTAssertFalse(records.all.isEmpty)
        XCTAssertEqual(report.findings.count, 3)
        let words = ["ISIC", "samples", "melanoma", "nevus", "keratosis", "urgent", "refer", "dermatoscope"]
        for record in records.all {
            XCTAssert(record.target.hasPrefix("bedside"), record.target)
            let message = record.message.lowercased()
            for word in words + report.findings.map({ "\($0.probability)" }) {
                XCTAssertFalse(message.contains(word.lowercased()), record.message)
            }
        }
    }

    func testALevelKeepsLowerRecordsOut() throws {
        // A warning of the unknown field, a line for the model, one for each stage.
        let wanted: [(LogLevel, Set<LogLevel>)] = [
            (.error, []), (.warn, [.warn]), (.info, [.warn]), (.debug, [.warn, .debug]),
            (.trace, [.warn, .debug, .trace]),
        ]
        for (level, levels) in wanted {
            XCTAssertEqual(Set(try heard(level).map(\.level)), levels, "\(level)")
        }
    }

    /// The records of this level and above, of a model with a field that nobody knows.
    private func heard(_ level: LogLevel?) throws -> [Records.Record] {
        var manifest = TinyModel.manifest
        manifest["telepathy"] = true
        let records = try Records.listening(level: level)
        _ = try TinyModel(manifest: manifest).classifier().classify(image: goldenPicture())
        return records.all
    }

    func testWithoutALevelOnlyWarningsAndErrorsCome() throws {
        let records = try heard(nil)
        XCTAssertEqual(Set(records.map(\.level)), [.warn])
        XCTAssert(records.contains { $0.message.contains("telepathy") }, "\(records)")
    }

    func testALaterLoggerTakesThePlaceOfTheOneBefore() throws {
        let classifier = try TinyModel().classifier()
        let before = try Records.listening()
        let after = try Records.listening()
        _ = try classifier.classify(image: goldenPicture())
        XCTAssertEqual(before.stages, [])
        XCTAssertEqual(after.stages.count, 4)
    }
}
