// The calls of `Classifier` as `async` functions. They run on a queue of the library and end with their task.

import Foundation

/// The queue of background calls. It runs about as many at once as there are cores; the others wait.
private let queue = DispatchQueue(label: "dev.bedside.classify", qos: .userInitiated, attributes: .concurrent)

extension Classifier {
    /// Classifies one picture on a queue of the library. It may be awaited on the main actor.
    ///
    /// Cancelling the task ends the classification at its next stage (decode, preprocess, engine, verdict), or at the
    /// next layer of a network that is quantized from end to end. It uses the query's cancel handle, or one made for
    /// this call where the query has none. A handle that several queries share ends all of their classifications.
    ///
    /// - Throws: `CancellationError` where the task was cancelled; else `BedsideError`, as `classify` does, with
    ///   `Cancelled` where the query's handle was used and the task was not cancelled.
    public func classifyInBackground(image: Image, query: Query = Query()) async throws -> Report {
        try await inBackground(query) { query in try self.classify(image: image, query: query) }
    }

    /// Classifies one frame, as `classifyFrame` does, on a queue of the library.
    ///
    /// - Parameter pixels: The rows of the frame, which are not copied. `Data(bytesNoCopy:)` does not own its bytes:
    ///   they must not change or be freed before this returns.
    /// - Throws: As `classifyInBackground` does.
    public func classifyFrameInBackground(
        _ pixels: Data, format: FrameFormat, query: Query = Query()
    ) async throws -> Report {
        try await inBackground(query) { query in try self.classifyFrame(pixels, format: format, query: query) }
    }

    /// Classifies one YUV 4:2:0 frame, as `classifyYuv420` does, on a queue of the library. The planes are not copied;
    /// for `Data(bytesNoCopy:)` see `classifyFrameInBackground`.
    ///
    /// - Throws: As `classifyInBackground` does.
    public func classifyYuv420InBackground(
        y: Data, u: Data, v: Data, format: FrameFormat, query: Query = Query()
    ) async throws -> Report {
        try await inBackground(query) { query in
            try self.classifyYuv420(y: y, u: u, v: v, format: format, query: query)
        }
    }

    /// Runs a call on the queue, with a cancel handle that is used when the task is cancelled.
    private func inBackground(
        _ query: Query, _ classify: @escaping @Sendable (Query) throws -> Report
    ) async throws -> Report {
        let handle = try query.cancel ?? CancelHandle()
        let query = query.ended(by: handle)
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    queue.async { continuation.resume(with: Result { try classify(query) }) }
                }
            } onCancel: {
                // This fails only by a fault in the library. The classification then runs to its end.
                try? handle.cancel()
            }
        } catch BedsideError.Cancelled where Task.isCancelled {
            throw CancellationError()
        }
    }
}

extension Query {
    /// The same query with this handle.
    func ended(by handle: CancelHandle) -> Query {
        var query = self
        query.cancel = handle
        return query
    }
}
