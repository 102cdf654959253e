// The questions of a model, about scope and danger signs, and the answers that a person has tapped or typed.

import Bedside
import Foundation

/// A question of the model's manifest.
public struct Question: Hashable, Codable, Sendable, Identifiable {
    public enum Kind: Hashable, Codable, Sendable {
        case yesOrNo
        /// The hint names the numbers that the model was made for.
        case number(hint: String)
    }

    public let id: String
    public let text: String
    public let isRequired: Bool
    public let kind: Kind

    init(_ question: ScopeQuestion, texts: Texts) {
        id = question.id
        text = question.question
        isRequired = question.required
        kind = texts.hint(min: question.min, max: question.max).map(Kind.number(hint:)) ?? .yesOrNo
    }

    /// The answer of a draft; nil where it is not an answer.
    func answer(_ draft: Draft?) -> Answer? {
        switch draft {
        case .yes?: .yes
        case .no?: .no
        case .typed(let text)?: number(text).map(Answer.number(value:))
        case nil: nil
        }
    }

    /// Whether the typed text is not a number. Blank text does not count.
    public func isNoNumber(_ draft: Draft?) -> Bool {
        guard case .typed(let text)? = draft else { return false }
        return !isBlank(text) && number(text) == nil
    }

    /// Whether the capture can't go on with this draft.
    func isOpen(_ draft: Draft?) -> Bool {
        answer(draft) == nil && (isRequired || isNoNumber(draft))
    }
}

/// What a person has tapped or typed for a question.
public enum Draft: Hashable, Codable, Sendable {
    case yes
    case no
    case typed(String)
}

private func isBlank(_ text: String) -> Bool {
    text.allSatisfy(\.isWhitespace)
}

/// The number of a typed text, which may have a decimal point or a decimal comma.
private func number(_ text: String) -> Double? {
    let typed = text.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: ",", with: ".")
    let isPlain = typed.range(of: "^-?[0-9]{1,9}(\\.[0-9]{0,9})?$", options: .regularExpression) != nil
    return isPlain ? Double(typed.hasSuffix(".") ? String(typed.dropLast()) : typed) : nil
}

extension Texts {
    /// The hint for the numbers that a question takes; nil where it is a yes-or-no question.
    fileprivate func hint(min: Double?, max: Double?) -> String? {
        switch (min, max) {
        case (let min?, let max?): self(.questionsNumber, number(min), number(max))
        case (let min?, nil): self(.questionsNumberMin, number(min))
        case (nil, let max?): self(.questionsNumberMax, number(max))
        case (nil, nil): nil
        }
    }
}
