// The scope questions of a model, and what was tapped and typed for them.

import Bedside
import Foundation

/// A scope question, as the model's manifest has it.
public struct Question: Hashable, Codable, Sendable, Identifiable {
    public enum Kind: Hashable, Codable, Sendable {
        case yesOrNo
        /// The hint says which numbers the model was made for.
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

    /// The answer that a draft stands for; nil where it stands for none.
    func answer(_ draft: Draft?) -> Answer? {
        switch draft {
        case .yes?: .yes
        case .no?: .no
        case .typed(let text)?: number(text).map(Answer.number(value:))
        case nil: nil
        }
    }

    /// Whether a number was typed that is none.
    public func isNoNumber(_ draft: Draft?) -> Bool {
        guard case .typed(let text)? = draft else { return false }
        return !isBlank(text) && number(text) == nil
    }

    /// Whether this question keeps the capture from going on.
    func isOpen(_ draft: Draft?) -> Bool {
        answer(draft) == nil && (isRequired || isNoNumber(draft))
    }
}

/// What was tapped or typed for a question so far.
public enum Draft: Hashable, Codable, Sendable {
    case yes
    case no
    case typed(String)
}

private func isBlank(_ text: String) -> Bool {
    text.allSatisfy(\.isWhitespace)
}

/// A number as people type it, with a decimal point or comma.
private func number(_ text: String) -> Double? {
    let typed = text.trimmingCharacters(in: .whitespaces).replacingOccurrences(of: ",", with: ".")
    let isPlain = typed.range(of: "^-?[0-9]{1,9}(\\.[0-9]{0,9})?$", options: .regularExpression) != nil
    return isPlain ? Double(typed.hasSuffix(".") ? String(typed.dropLast()) : typed) : nil
}

extension Texts {
    /// Which numbers a question takes; nil where it takes none.
    fileprivate func hint(min: Double?, max: Double?) -> String? {
        switch (min, max) {
        case (let min?, let max?): self(.questionsNumber, number(min), number(max))
        case (let min?, nil): self(.questionsNumberMin, number(min))
        case (nil, let max?): self(.questionsNumberMax, number(max))
        case (nil, nil): nil
        }
    }
}
