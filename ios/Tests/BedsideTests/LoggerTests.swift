// The library's log, and a logger that can hold a classification at the end of a stage.

import Foundation
import XCTest

@testable import Bedside

/// Keeps the records of the log, and may hold a classification after a stage until it is resumed.
final class RecordingLogger: Logger, @unchecked Sendable {
    struct Record {
        let level: LogLevel
        let target: String
        let message: String
    }

    private let lock = NSLock()
    private var records: [Record] = []
    private var pause: (stage: String, pause: Pause)?

    /// Installs a new logger, which replaces the previous one.
    static func install(level: LogLevel? = .trace) throws -> RecordingLogger {
        let logger = RecordingLogger()
        try setLogger(logger: logger, level: level)
        return logger
    }

    func log(level: LogLevel, target: String, message: String) {
        let pause = lock.withLock {
            records.append(Record(level: level, target: target, message: message))
            guard let (stage, pause) = self.pause, message.hasPrefix(stage + " ") else { return nil as Pause? }
            self.pause = nil
            return pause
        }
        pause?.hold()
    }

    var all: [Record] { lock.withLock { records } }

    /// The stages that ended, in order.
    var stages: [String] {
        all.filter { $0.target == "bedside::stages" }.map { String($0.message.prefix { $0 != " " }) }
    }

    /// Holds the next classification when this stage ends.
    func pause(after stage: String) -> Pause {
        let pause = Pause()
        lock.withLock { self.pause = (stage, pause) }
        return pause
    }
}

/// A point at which one thread waits for another.
final class Pause: Sendable {
    private let arrived = DispatchSemaphore(value: 0)
    private let resumed = DispatchSemaphore(value: 0)

    fileprivate func hold() {
        arrived.signal()
        _ = resumed.wait(timeout: .now() + 60)
    }

    /// Waits until the classification is held, and fails where that takes more than a minute.
    func waitUntilReached(file: StaticString = #filePath, line: UInt = #line) {
        XCTAssertEqual(arrived.wait(timeout: .now() + 60), .success, "not reached", file: file, line: line)
    }

    func resume() {
        resumed.signal()
    }
}

/// A logger that throws at each record, and counts them.
private final class ThrowingLogger: Logger, @unchecked Sendable {
    private let lock = NSLock()
    private var count = 0

    func log(level: LogLevel, target: String, message: String) throws {
        lock.withLock { count += 1 }
        if message.hasPrefix("decode") { throw BedsideError.Io(message: "no room for the log") }
        throw CancellationError()
    }

    var thrown: Int { lock.withLock { count } }
}

final class LoggerTests: XCTestCase {
    func testLoggerThatThrowsDoesNotEndAClassification() throws {
        let classifier = try TinyModel().classifier()
        let wanted = bits(try classifier.classify(image: goldenPicture()))
        let throwing = ThrowingLogger()
        try setLogger(logger: throwing, level: .trace)
        XCTAssertEqual(bits(try classifier.classify(image: goldenPicture())), wanted)
        XCTAssertEqual(throwing.thrown, 4, "one for each stage")
        _ = try RecordingLogger.install()
    }

    func testLoggerReceivesNothingOnceRemoved() throws {
        let classifier = try TinyModel().classifier()
        let logger = try RecordingLogger.install()
        _ = try classifier.classify(image: goldenPicture())
        let count = logger.all.count
        XCTAssertGreaterThanOrEqual(count, 4, "one for each stage")
        try setLogger(logger: nil, level: .trace)
        _ = try classifier.classify(image: goldenPicture())
        XCTAssertEqual(logger.all.count, count)
    }

    func testLoggerReceivesEachStageAtTrace() throws {
        let classifier = try TinyModel().classifier()
        let logger = try RecordingLogger.install()
        _ = try classifier.classify(image: goldenPicture())
        XCTAssertEqual(logger.stages, ["decode", "preprocess", "engine", "verdict"])
        let stages = logger.all.filter { $0.target == "bedside::stages" }
        XCTAssert(stages.allSatisfy { $0.level == .trace })
    }

    func testLogHoldsNothingOfThePictureOrItsResult() throws {
        let logger = try RecordingLogger.install()
        let classifier = try Classifier.open(path: shippedModel)
        let report = try classifier.classify(image: Image.open(path: path(samples[4])), query: dermatoscopeQuery)
        _ = try? classifier.classify(image: Image.fromBytes(bytes: bytes(samples[4]).prefix(3000)))
        XCTAssertFalse(logger.all.isEmpty)
        XCTAssertEqual(report.findings.count, 3)
        let words = ["ISIC", "samples", "melanoma", "nevus", "keratosis", "urgent", "refer", "dermatoscope"]
        for record in logger.all {
            XCTAssert(record.target.hasPrefix("bedside"), record.target)
            let message = record.message.lowercased()
            for word in words + report.findings.map({ "\($0.probability)" }) {
                XCTAssertFalse(message.contains(word.lowercased()), record.message)
            }
        }
    }

    func testLoggerReceivesNoRecordsBelowItsLevel() throws {
        // A warning about the unknown field, one record for the model, one for each stage.
        let wanted: [(LogLevel, Set<LogLevel>)] = [
            (.error, []), (.warn, [.warn]), (.info, [.warn]), (.debug, [.warn, .debug]),
            (.trace, [.warn, .debug, .trace]),
        ]
        for (level, levels) in wanted {
            XCTAssertEqual(Set(try receivedRecords(level).map(\.level)), levels, "\(level)")
        }
    }

    /// The records of this level and above about a model whose manifest has an unknown field.
    private func receivedRecords(_ level: LogLevel?) throws -> [RecordingLogger.Record] {
        var manifest = TinyModel.manifest
        manifest["telepathy"] = true
        let logger = try RecordingLogger.install(level: level)
        _ = try TinyModel(manifest: manifest).classifier().classify(image: goldenPicture())
        return logger.all
    }

    func testLoggerWithoutLevelReceivesWarningsAndErrors() throws {
        let records = try receivedRecords(nil)
        XCTAssertEqual(Set(records.map(\.level)), [.warn])
        XCTAssert(records.contains { $0.message.contains("telepathy") }, "\(records)")
    }

    func testLoggerReplacesThePreviousOne() throws {
        let classifier = try TinyModel().classifier()
        let before = try RecordingLogger.install()
        let after = try RecordingLogger.install()
        _ = try classifier.classify(image: goldenPicture())
        XCTAssertEqual(before.stages, [])
        XCTAssertEqual(after.stages.count, 4)
    }
}
