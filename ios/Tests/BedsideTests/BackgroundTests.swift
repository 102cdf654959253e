// Background calls, calls on many threads, and the ways to end a classification.

import Foundation
import XCTest

@testable import Bedside

/// The results of the calls that a thread or a task made.
private final class CallResults: @unchecked Sendable {
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

    /// Runs a call on a new thread. The expectation is fulfilled when the thread ends.
    private func onNewThread(_ body: @escaping @Sendable () throws -> Report) -> (CallResults, XCTestExpectation) {
        let (results, ended) = (CallResults(), expectation(description: "the thread ended"))
        Thread.detachNewThread {
            results.add(Result { try body() })
            ended.fulfill()
        }
        return (results, ended)
    }

    func testBackgroundCallGivesTheSameReport() async throws {
        let wanted = bits(try classifier.classify(image: picture))
        let report = try await classifier.classifyInBackground(image: picture)
        XCTAssertEqual(bits(report), wanted)
        let query = Query(maxResults: 1, language: "uk")
        let narrowed = try await classifier.classifyInBackground(image: picture, query: query)
        XCTAssertEqual(narrowed.findings.map(\.name), ["Мітка А"])
    }

    func testBackgroundCallWithFrameGivesTheSameReport() async throws {
        let frame = Picture.slope()
        let wanted = bits(try classifier.classifyFrame(frame.rgb, format: frame.rgbFormat()))
        let report = try await classifier.classifyFrameInBackground(frame.rgb, format: frame.rgbFormat())
        XCTAssertEqual(bits(report), wanted)
        let (y, u, v, format) = Planes.slope.planar()
        let wantedYuv = bits(try classifier.classifyYuv420(y: y, u: u, v: v, format: format))
        let yuv = try await classifier.classifyYuv420InBackground(y: y, u: u, v: v, format: format)
        XCTAssertEqual(bits(yuv), wantedYuv)
    }

    func testBackgroundCallThrowsErrorsOfTheCall() async throws {
        do {
            _ = try await classifier.classifyInBackground(image: picture, query: Query(allow: ["d"]))
            XCTFail("an unknown label was accepted")
        } catch let error as BedsideError {
            XCTAssertEqual(error.kind, .invalidQuery)
        }
    }

    func testBackgroundCallsOfManyTasksGiveTheSameBits() async throws {
        let wanted = bits(try classifier.classify(image: picture))
        let (classifier, picture) = (classifier, picture)
        try await withThrowingTaskGroup(of: Report.self) { group in
            for _ in 0..<50 {
                group.addTask { try await classifier.classifyInBackground(image: picture) }
            }
            for try await report in group { XCTAssertEqual(bits(report), wanted) }
        }
    }

    func testCancelledTaskEndsItsClassificationAtTheNextStage() throws {
        let logger = try RecordingLogger.install()
        let pause = logger.pause(after: "decode")
        let (results, ended) = (CallResults(), expectation(description: "the task ended"))
        let (classifier, picture) = (classifier, picture)
        let task = Task {
            do { results.add(.success(try await classifier.classifyInBackground(image: picture))) }
            catch { results.add(.failure(error)) }
            ended.fulfill()
        }
        pause.waitUntilReached()
        task.cancel()
        pause.resume()
        wait(for: [ended], timeout: 60)
        XCTAssert(results.error is CancellationError, "\(results.all)")
        XCTAssertEqual(logger.stages, ["decode"], "no later stage runs")
    }

    func testCancelledTaskUsesTheQuerysHandle() throws {
        let logger = try RecordingLogger.install()
        let pause = logger.pause(after: "decode")
        let handle = try CancelHandle()
        let (results, ended) = (CallResults(), expectation(description: "the task ended"))
        let (classifier, picture) = (classifier, picture)
        let task = Task {
            do {
                let query = Query(cancel: handle)
                results.add(.success(try await classifier.classifyInBackground(image: picture, query: query)))
            } catch { results.add(.failure(error)) }
            ended.fulfill()
        }
        pause.waitUntilReached()
        task.cancel()
        pause.resume()
        wait(for: [ended], timeout: 60)
        XCTAssert(results.error is CancellationError, "\(results.all)")
        XCTAssert(try handle.isCancelled())
    }

    func testTaskCancelledBeforeItsCallClassifiesNothing() async throws {
        let logger = try RecordingLogger.install()
        let (classifier, picture) = (classifier, picture)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return try await classifier.classifyInBackground(image: picture)
        }
        task.cancel()
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssert($0 is CancellationError, "\($0)") }
        XCTAssertEqual(logger.stages, [])
    }

    func testCancelHandleEndsBackgroundCallWithCancelledError() async throws {
        let handle = try CancelHandle()
        try handle.cancel()
        do {
            _ = try await classifier.classifyInBackground(image: picture, query: Query(cancel: handle))
            XCTFail("a used handle was accepted")
        } catch let error as BedsideError {
            XCTAssertEqual(error.kind, .cancelled)
        }
    }

    func testCancelHandleEndsClassificationOnAnotherThread() throws {
        let logger = try RecordingLogger.install()
        let pause = logger.pause(after: "preprocess")
        let handle = try CancelHandle()
        let (results, ended) = onNewThread { [classifier, picture] in
            try classifier.classify(image: picture, query: Query(cancel: handle))
        }
        pause.waitUntilReached()
        try handle.cancel()
        pause.resume()
        wait(for: [ended], timeout: 60)
        XCTAssertEqual((results.error as? BedsideError)?.kind, .cancelled, "\(results.all)")
        XCTAssertEqual(logger.stages, ["decode", "preprocess"])
    }

    func testClassifierGivesEightThreadsTheSameBits() throws {
        let wanted = bits(try classifier.classify(image: picture))
        let (results, ended) = (CallResults(), expectation(description: "eight threads ended"))
        ended.expectedFulfillmentCount = 8
        for _ in 0..<8 {
            Thread.detachNewThread { [classifier, picture] in
                for _ in 0..<20 { results.add(Result { try classifier.classify(image: picture) }) }
                ended.fulfill()
            }
        }
        wait(for: [ended], timeout: 120)
        XCTAssertEqual(results.all.count, 160)
        for result in results.all { XCTAssertEqual(bits(try result.get()), wanted) }
    }

    func testShippedModelGivesEightThreadsTheSameBits() throws {
        let classifier = try shippedClassifier()
        let picture = try Image.open(path: path(samples[4]))
        let wanted = bits(try classifier.classify(image: picture, query: dermatoscopeQuery))
        let runs = (0..<8).map { _ in
            onNewThread { try classifier.classify(image: picture, query: dermatoscopeQuery) }
        }
        wait(for: runs.map(\.1), timeout: 300)
        for (results, _) in runs { XCTAssertEqual(bits(try results.all[0].get()), wanted) }
    }
}
