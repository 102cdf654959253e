// The kind and the message of an error. The error itself is generated.

extension BedsideError {
    /// The kind of this error, the same in every language. Decide by the kind; show `localizedDescription` to a person.
    public var kind: ErrorKind {
        switch self {
        case .Io: .io
        case .UnsupportedImage: .unsupportedImage
        case .MalformedImage: .malformedImage
        case .TooLarge: .tooLarge
        case .MalformedModel: .malformedModel
        case .UnsupportedModel: .unsupportedModel
        case .InvalidManifest: .invalidManifest
        case .InvalidQuery: .invalidQuery
        case .Cancelled: .cancelled
        case .SelfTest: .selfTest
        case .Internal: .internal
        }
    }

    /// What was wrong, where, and what to do, in English. `localizedDescription` and `print` give the same text.
    public var message: String {
        switch self {
        case .Io(let message), .UnsupportedImage(let message), .MalformedImage(let message), .TooLarge(let message),
            .MalformedModel(let message), .UnsupportedModel(let message), .InvalidManifest(let message),
            .InvalidQuery(let message), .Cancelled(let message), .SelfTest(let message), .Internal(let message):
            message
        }
    }
}

// The generated `errorDescription`, and so `localizedDescription`, is `String(reflecting: self)`, which calls this.
extension BedsideError: CustomDebugStringConvertible {
    /// The same as `message`.
    public var debugDescription: String { message }
}
