// The part of Uniform Type Identifiers that the demo app names.

public struct UTType: Sendable, Hashable {
    public static var image: UTType { UTType() }
    public static var heif: UTType { UTType() }

    init() {}
    public init?(_ identifier: String) { nil }
    public func conforms(to type: UTType) -> Bool { false }
}
