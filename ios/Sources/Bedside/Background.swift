// The calls of `Classifier` for callers that must not block: `async`, on a queue of their own, ended with their task.

import Foundation

/// Where background calls run: about as many at once as there are cores, the rest in line.
private let queue = DispatchQueue(label: "dev.bedside.classify", qos: .userInitiated, attributes: .concurrent)

extension Classifier {
    /// Looks at one picture on a queue of its own: safe to await on the main actor.
    ///
    /// Cancelling the task ends the classification at its next stage, or at the next layer of a network that is
    /// quantized from end to end: up to one inference later of another. It does so through `query.cancel` where the
    /// query has a handle, so that whatever else has that handle ends too, and through one made for this call where it
    /// has none.
    ///
    /// - Throws: `CancellationError` where the task was cancelled; `BedsideError`, as `classify` does, for all else,
    ///   among it `Cancelled` where the handle was used and the task was not cancelled.
    public func classifyInBackground(image: Image, query: Query = Query()) async throws -> Report {
        try await inBackground(query) { query in try self.classify(image: image, query: query) }
    }

    /// Looks at one frame of pixels, as `classifyFrame` does, on a queue of its own.
    ///
    /// - Parameter pixels: Not copied. Data that owns its bytes is safe; memory of a camera behind `Data(bytesNoCopy:)`
    ///   must stay until this returns.
    /// - Throws: As `classifyInBackground` does.
    public func classifyFrameInBackground(
        _ pixels: Data, format: FrameFormat, query: Query = Query()
    ) async throws -> Report {
        try await inBackground(query) { query in try self.classifyFrame(pixels, format: format, query: query) }
    }

    /// Looks at one YUV 4:2:0 frame, as `classifyYuv420` does, on a queue of its own. Planes are kept as `pixels` are.
    ///
    /// - Throws: As `classifyInBackground` does.
    public func classifyYuv420InBackground(
        y: Data, u: Data, v: Data, format: FrameFormat, query: Query = Query()
    ) async throws -> Report {
        try await inBackground(query) { query in
            try self.classifyYuv420(y: y, u: u, v: v, format: format, query: query)
        }
    }

    /// Runs a call on the queue, with a query that ends when the task does.
    private func inBackground(
        _ query: Query, _ classify: @escaping @Sendable (Query) throws -> Report
    ) async throws -> Report {
        let handle = try query.cancel ?? CancelHandle()
        let query = query.ended(by: handle)
        do {
            return try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { waiting in
                    queue.async { waiting.resume(with: Result { try classify(query) }) }
                }
            } onCancel: {
                // Only a fault inside the library makes this fail; the classification then runs to its end.
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
