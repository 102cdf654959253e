// The part of Uniform Type Identifiers that the demo app names.

public struct UTType: Sendable, Hashable {
    public static var data: UTType { UTType() }
    public static var image: UTType { UTType() }

    init() {}
    public init(importedAs identifier: String, conformingTo parentType: UTType? = nil) {}
}
