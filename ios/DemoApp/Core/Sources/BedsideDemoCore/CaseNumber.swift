// The case number of a slip, made on the phone. It names no person and does not count cases.

import Foundation

/// Letters and digits that do not look or sound like another, without vowels, so that they form no word.
private let characters = Array("2346789CDFGHJKMNPRTWXY")

/// The day and four characters, such as `2026-11-23-7KMP`.
func caseNumber(
    on date: Date, in zone: TimeZone = .current, using random: inout some RandomNumberGenerator
) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let day = calendar.dateComponents([.year, .month, .day], from: date)
    let ending = String((0..<4).map { _ in characters.randomElement(using: &random)! })
    return String(format: "%04d-%02d-%02d-", day.year!, day.month!, day.day!) + ending
}
