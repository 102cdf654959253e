// The sentences of the screens by key, from the string catalogue that `cargo xtask copy` makes of the copy deck.

import Foundation

/// Looks up sentences in one language and fills in their arguments.
public struct Texts: Sendable {
    /// `en` or `uk`, which is also the language of the reports.
    public let language: String
    private let wording: @Sendable (String) -> String

    /// - Parameter wording: Gives the catalogue's wording of a key in this language.
    public init(language: String, wording: @escaping @Sendable (String) -> String) {
        self.language = language
        self.wording = wording
    }

    /// The sentence of a key, with its arguments filled in by number.
    public func callAsFunction(_ key: Key, _ arguments: String...) -> String {
        let sentence = wording(key.rawValue)
        return arguments.isEmpty ? sentence : filled(sentence, arguments)
    }

    /// The lines of a text that has several.
    public func lines(_ key: Key) -> [String] {
        self(key).split(separator: "\n").map(String.init)
    }

    /// A number in the format of this language.
    func number(_ value: Double) -> String {
        let formatter = NumberFormatter()
        formatter.locale = Locale(identifier: language)
        formatter.numberStyle = .decimal
        return formatter.string(from: NSNumber(value: value)) ?? "\(value)"
    }

    /// A number with the decimal mark of this language and this many digits after it.
    func decimal(_ value: Float, digits: Int) -> String {
        String(format: "%.\(digits)f", locale: Locale(identifier: language), Double(value))
    }

    /// A fraction, 0 to 1, in per cent.
    func percent(_ fraction: Float) -> String {
        self(.cliniciansPercent, decimal(fraction * 100, digits: 1))
    }

    /// A date with its time of day, in this language and in the phone's time zone.
    func moment(_ date: Date, in zone: TimeZone = .current) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: language)
        formatter.timeZone = zone
        (formatter.dateStyle, formatter.timeStyle) = (.medium, .short)
        return formatter.string(from: date)
    }
}

/// Replaces `%1$@` with the first argument, and `%%` with a per cent sign. Does not replace anything in arguments.
private func filled(_ sentence: String, _ arguments: [String]) -> String {
    var (text, rest) = ("", sentence[...])
    while let percent = rest.firstIndex(of: "%") {
        text += rest[..<percent]
        rest = rest[percent...].dropFirst()
        if rest.first == "%" {
            text += "%"
            rest = rest.dropFirst()
        } else if let number = rest.first?.wholeNumberValue, rest.dropFirst().hasPrefix("$@"),
            arguments.indices.contains(number - 1)
        {
            text += arguments[number - 1]
            rest = rest.dropFirst(3)
        } else {
            text += "%"
        }
    }
    return text + rest
}
