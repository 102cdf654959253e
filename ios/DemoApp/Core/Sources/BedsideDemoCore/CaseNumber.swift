// A number for a slip, made on the phone: nothing that names a person, and no count of how many there were.

import Foundation

/// No letter or digit that looks or sounds like another, and no vowel, so that no word comes of them.
private let signs = Array("2346789CDFGHJKMNPRTWXY")

/// The day and four signs, such as `2026-11-23-7KMP`.
func caseNumber(
    on date: Date, in zone: TimeZone = .current, using random: inout some RandomNumberGenerator
) -> String {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    let day = calendar.dateComponents([.year, .month, .day], from: date)
    let ending = String((0..<4).map { _ in signs.randomElement(using: &random)! })
    return String(format: "%04d-%02d-%02d-", day.year!, day.month!, day.day!) + ending
}
