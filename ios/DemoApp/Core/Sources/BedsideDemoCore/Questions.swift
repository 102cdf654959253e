// The questions of a model, about danger signs and scope, and the answers that a person has tapped or typed.

import Bedside
import Foundation

/// A question of the model's manifest.
public struct Question: Hashable, Codable, Sendable, Identifiable {
    public enum Kind: Hashable, Codable, Sendable {
        /// A danger sign, which is there where it is tapped. One that is not tapped has no answer.
        case sign
        case yesOrNo
        /// The hint names the numbers that the model was made for.
        case number(hint: String)
        /// An age in years and months. The hint names the years that the model was made for.
        case age(hint: String)
    }

    public let id: String
    public let text: String
    public let isRequired: Bool
    public let kind: Kind

    init(_ question: ScopeQuestion, topic: Topic, texts: Texts) {
        id = question.id
        text = question.question
        isRequired = question.required
        if question.role == .danger {
            kind = .sign
        } else if topic == .chest, question.id == "age", let min = question.min, let max = question.max {
            kind = .age(hint: texts(.questionsAge, texts.number(min), texts.number(max)))
        } else if let hint = texts.hint(min: question.min, max: question.max) {
            kind = .number(hint: hint)
        } else {
            kind = .yesOrNo
        }
    }

    /// The answer of a draft; nil where it is not an answer.
    func answer(_ draft: Draft?) -> Answer? {
        switch draft {
        case .yes?: .yes
        case .no?: .no
        case .typed(let text)?: number(text).map(Answer.number(value:))
        case .age(let years, let months)?: age(years, months).map(Answer.number(value:))
        case nil: nil
        }
    }

    /// Whether the typed text is not a number. Blank text does not count.
    public func isNoNumber(_ draft: Draft?) -> Bool {
        switch draft {
        case .typed(let text)?: !isBlank(text) && number(text) == nil
        case .age(let years, let months)?: !(isBlank(years) && isBlank(months)) && age(years, months) == nil
        case .yes?, .no?, nil: false
        }
    }

    /// Whether the capture can't go on with this draft.
    func isOpen(_ draft: Draft?) -> Bool {
        answer(draft) == nil && (isRequired || isNoNumber(draft))
    }

    /// The question and its answer, for the slip; nil where there is none.
    func line(_ draft: Draft?, texts: Texts) -> String? {
        let answer: String? =
            switch draft {
            case .yes?: texts(.questionsYes)
            case .no?: texts(.questionsNo)
            case .typed(let text)?: number(text).map(texts.number)
            case .age(let years, let months)?:
                age(years, months).map { _ in texts(.questionsAgeAnswer, orZero(years), orZero(months)) }
            case nil: nil
            }
        return answer.map { texts(.slipAnswer, text, $0) }
    }
}

/// What a person has tapped or typed for a question.
public enum Draft: Hashable, Codable, Sendable {
    case yes
    case no
    case typed(String)
    case age(years: String, months: String)
}

func isBlank(_ text: String) -> Bool {
    text.allSatisfy(\.isWhitespace)
}

private func trimmed(_ text: String) -> String {
    text.trimmingCharacters(in: .whitespaces)
}

/// A typed text, or 0 where it is blank.
private func orZero(_ text: String) -> String {
    isBlank(text) ? "0" : trimmed(text)
}

/// The number of a typed text, which may have a decimal point or a decimal comma.
func number(_ text: String) -> Double? {
    let typed = trimmed(text).replacingOccurrences(of: ",", with: ".")
    let isPlain = typed.range(of: "^-?[0-9]{1,9}(\\.[0-9]{0,9})?$", options: .regularExpression) != nil
    return isPlain ? Double(typed.hasSuffix(".") ? String(typed.dropLast()) : typed) : nil
}

/// The age in years of whole years and whole months, 0 to 11. A blank text counts as 0, but not both.
private func age(_ years: String, _ months: String) -> Double? {
    func whole(_ text: String) -> Double? {
        if isBlank(text) { return 0 }
        return trimmed(text).range(of: "^[0-9]{1,3}$", options: .regularExpression) != nil ? number(text) : nil
    }
    guard !(isBlank(years) && isBlank(months)), let years = whole(years), let months = whole(months), months < 12
    else { return nil }
    return years + months / 12
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
