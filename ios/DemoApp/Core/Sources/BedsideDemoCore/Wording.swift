// Errors, times and names of the library in the app's texts. Other sentences are the library's own.

import Bedside

extension Texts {
    func time(_ timings: Timings) -> String {
        self(.resultTime, number(timings.total.rounded()))
    }

    func identity(_ report: Report) -> String {
        let model = "\(report.model.name) \(report.model.version)"
        return self(.resultModel, model, String(report.model.graphSha256.prefix(12)), report.runtime.version)
    }

    /// An error about a picture as a sentence that says what to do.
    func pictureFailure(_ kind: ErrorKind) -> String {
        switch kind {
        case .io: self(.errorIo)
        case .unsupportedImage: self(.errorUnsupportedImage)
        case .malformedImage: self(.errorMalformedImage)
        case .tooLarge: self(.errorTooLarge)
        case .malformedModel, .unsupportedModel, .invalidManifest, .invalidQuery, .cancelled, .selfTest, .internal:
            modelFailure(kind)
        }
    }

    /// An error about a model as a sentence. Io and TooLarge concern models too, and then no other picture helps.
    func modelFailure(_ kind: ErrorKind) -> String {
        self(.errorInternal, name(kind))
    }
}

/// The name of the kind as in Rust.
private func name(_ kind: ErrorKind) -> String {
    switch kind {
    case .io: "Io"
    case .unsupportedImage: "UnsupportedImage"
    case .malformedImage: "MalformedImage"
    case .tooLarge: "TooLarge"
    case .malformedModel: "MalformedModel"
    case .unsupportedModel: "UnsupportedModel"
    case .invalidManifest: "InvalidManifest"
    case .invalidQuery: "InvalidQuery"
    case .cancelled: "Cancelled"
    case .selfTest: "SelfTest"
    case .internal: "Internal"
    }
}
