// Calls in the background, many threads, and the ways to end a classification.

import Foundation
import XCTest

@testable import Bedside

/// What a thread or a task left behind.
private final class Outcome: @unchecked Sendable {
    private let lock = NSLock()
    private var results: [Result<Report, any Error>] = []

    func add(_ result: Result<Report, any Error>) {
        lock.withLock { results.append(result) }
    }

    var all: [Result<Report, any Error>] { lock.withLock { results } }

    var error: (any Error)? {
        guard case .failure(let error)? = all.first else { return nil }
        return error
    }
}

final class BackgroundTests: XCTestCase {
    private let classifier = try! TinyModel().classifier()
    private let picture = try! goldenPicture()

    /// Runs a body on a thread of its own.
    private func onAThread(_ body: @escaping @Sendable () throws -> Report) -> (Outcome, XCTestExpectation) {
        let (outcome, ended) = (Outcome(), expectation(description: "the thread ended"))
        Thread.detachNewThread {
            outcome.add(Result { try body() })
            ended.fulfill()
        }
        return (outcome, ended)
    }

    func testTheBackgroundGivesTheSameReports() async throws {
        let wanted = bits(try classifier.classify(image: picture))
        let report = try await classifier.classifyInBackground(image: picture)
        XCTAssertEqual(bits(report), wanted)
        let narrowed = try await classifier.classifyInBackground(image: picture, query: Query(maxResults: 1, language: "uk"))
        XCTAssertEqual(narrowed.findings.map(\.name), ["Мітка А"])
    }

    func testFramesInTheBackgroundGiveTheSameReports() async throws {
        let frame = Picture.slope()
        let wanted = bits(try classifier.classifyFrame(frame.rgb, format: frame.rgbFormat()))
        let report = try await classifier.classifyFrameInBackground(frame.rgb, format: frame.rgbFormat())
        XCTAssertEqual(bits(report), wanted)
        let (y, u, v, format) = Planes.slope.planar()
        let wantedYuv = bits(try classifier.classifyYuv420(y: y, u: u, v: v, format: format))
        let yuv = try await classifier.classifyYuv420InBackground(y: y, u: u, v: v, format: format)
        XCTAssertEqual(bits(yuv), wantedYuv)
    }

    func testErrorsComeBackFromTheBackground() async throws {
        do {
            _ = try await classifier.classifyInBackground(image: picture, query: Query(allow: ["d"]))
            XCTFail("an unknown label passed")
        } catch let error as BedsideError {
            XCTAssertEqual(error.kind, .invalidQuery)
        }
    }

    func testManyTasksAtOnceGiveTheSameBits() async throws {
        let wanted = bits(try classifier.classify(image: picture))
        let (classifier, picture) = (classifier, picture)
        try await withThrowingTaskGroup(of: Report.self) { group in
            for _ in 0..<50 {
                group.addTask { try await classifier.classifyInBackground(image: picture) }
            }
            for try await report in group { XCTAssertEqual(bits(report), wanted) }
        }
    }

    func testCancellingATaskEndsItsClassificationInFlight() throws {
        let records = try Records.listening()
        let pause = records.pause(after: "decode")
        let (outcome, ended) = (Outcome(), expectation(description: "the task ended"))
        let (classifier, picture) = (classifier, picture)
        let task = Task {
            do { outcome.add(.success(try await classifier.classifyInBackground(image: picture))) }
            catch { outcome.add(.failure(error)) }
            ended.fulfill()
        }
        pause.waitUntilReached()
        task.cancel()
        pause.letGo()
        wait(for: [ended], timeout: 60)
        XCTAssert(outcome.error is CancellationError, "\(outcome.all)")
        XCTAssertEqual(records.stages, ["decode"], "nothing runs after it")
    }

    func testCancellingATaskUsesTheQuerysHandle() throws {
        let records = try Records.listening()
        let pause = records.pause(after: "decode")
        let handle = try CancelHandle()
        let (outcome, ended) = (Outcome(), expectation(description: "the task ended"))
        let (classifier, picture) = (classifier, picture)
        let task = Task {
            do {
                let query = Query(cancel: handle)
                outcome.add(.success(try await classifier.classifyInBackground(image: picture, query: query)))
            } catch { outcome.add(.failure(error)) }
            ended.fulfill()
        }
        pause.waitUntilReached()
        task.cancel()
        pause.letGo()
        wait(for: [ended], timeout: 60)
        XCTAssert(outcome.error is CancellationError, "\(outcome.all)")
        XCTAssert(try handle.isCancelled())
    }

    func testATaskThatIsCancelledBeforeItStartsClassifiesNothing() async throws {
        let records = try Records.listening()
        let (classifier, picture) = (classifier, picture)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await classifier.classifyInBackground(image: picture)
        }
        task.cancel()
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssert($0 is CancellationError, "\($0)") }
        XCTAssertEqual(records.stages, [])
    }

    func testAHandleEndsABackgroundCallWithItsOwnError() async throws {
        let handle = try CancelHandle()
        try handle.cancel()
        do {
            _ = try await classifier.classifyInBackground(image: picture, query: Query(cancel: handle))
            XCTFail("a used handle passed")
        } catch let error as BedsideError {
            XCTAssertEqual(error.kind, .cancelled)
        }
    }

    func testAHandleEndsAClassificationFromAnotherThread() throws {
        let records = try Records.listening()
        let pause = records.pause(after: "preprocess")
        let handle = try CancelHandle()
        let (outcome, ended) = onAThread { [classifier, picture] in
            try classifier.classify(image: picture, query: Query(cancel: handle))
        }
        pause.waitUntilReached()
        try handle.cancel()
        pause.letGo()
        wait(for: [ended], timeout: 60)
        XCTAssertEqual((outcome.error as? BedsideError)?.kind, .cancelled, "\(outcome.all)")
        XCTAssertEqual(records.stages, ["decode", "preprocess"])
    }

    func testEightThreadsOnOneClassifierGetTheSameBits() throws {
        let wanted = bits(try classifier.classify(image: picture))
        let (outcome, ended) = (Outcome(), expectation(description: "eight threads ended"))
        ended.expectedFulfillmentCount = 8
        for _ in 0..<8 {
            Thread.detachNewThread { [classifier, picture] in
                for _ in 0..<20 { outcome.add(Result { try classifier.classify(image: picture) }) }
                ended.fulfill()
            }
        }
        wait(for: [ended], timeout: 120)
        XCTAssertEqual(outcome.all.count, 160)
        for result in outcome.all { XCTAssertEqual(bits(try result.get()), wanted) }
    }

    func testEightThreadsOnTheShippedModelGetTheSameBits() throws {
        let classifier = try shippedClassifier()
        let picture = try Image.open(path: path(samples[4]))
        let wanted = bits(try classifier.classify(image: picture, query: throughDermatoscope))
        let runs = (0..<8).map { _ in
            onAThread { try classifier.classify(image: picture, query: throughDermatoscope) }
        }
        wait(for: runs.map(\.1), timeout: 300)
        for (outcome, _) in runs { XCTAssertEqual(bits(try outcome.all[0].get()), wanted) }
    }
}
