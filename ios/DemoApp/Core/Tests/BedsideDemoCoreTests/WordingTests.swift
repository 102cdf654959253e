// The texts for errors, compared with the deck.

import Bedside
import Foundation
import XCTest

@testable import BedsideDemoCore

/// The key of each kind by the notes in docs/copy/deck.toml, or `error_internal` where they do not name the kind.
private let errorKeys: [(ErrorKind, key: String, name: String)] = [
    (.io, "error_io", "Io"), (.unsupportedImage, "error_unsupported_image", "UnsupportedImage"),
    (.malformedImage, "error_malformed_image", "MalformedImage"), (.tooLarge, "error_too_large", "TooLarge"),
    (.malformedModel, "error_internal", "MalformedModel"), (.unsupportedModel, "error_internal", "UnsupportedModel"),
    (.invalidManifest, "error_internal", "InvalidManifest"), (.invalidQuery, "error_internal", "InvalidQuery"),
    (.cancelled, "error_internal", "Cancelled"), (.selfTest, "error_internal", "SelfTest"),
    (.internal, "error_internal", "Internal"),
]

final class WordingTests: XCTestCase {
    func testErrorKindsHaveTextsInBothLanguages() throws {
        let catalogue = try Catalogue()
        let shared = try JSONSerialization.jsonObject(with: bytes("bindings/names.json")) as? [String: Any]
        let kinds = shared?["error_kinds"] as? [String]
        XCTAssertEqual(errorKeys.count, kinds?.count, "the list of all languages")
        for language in languages {
            let texts = catalogue.texts(language)
            for (kind, key, name) in errorKeys {
                let wanted = key == "error_internal"
                    ? try catalogue.sentence(key, language, name) : try catalogue.sentence(key, language)
                XCTAssertEqual(texts.pictureFailure(kind), wanted)
                XCTAssertEqual(texts.modelFailure(kind), try catalogue.sentence("error_internal", language, name))
            }
        }
    }

    func testTriageLevelsDifferInWordIconAndColour() throws {
        let looks: [(Triage, TriageLook)] = [
            (.noSign, .noSign), (.refer, .refer), (.urgent, .urgent), (.unassessed, .unassessed),
        ]
        XCTAssertEqual(looks.map(\.1), TriageLook.allCases)
        for (triage, look) in looks {
            XCTAssertEqual(TriageLook(triage), look)
            XCTAssertEqual(look.word.rawValue, "triage_\(look.rawValue)")
        }
        XCTAssertEqual(Set(looks.map(\.1.symbol)).count, 4)
        XCTAssertEqual(Set(looks.map(\.1.color)).count, 4)
    }

    func testSymbolsAndColoursDoNotReassure() throws {
        let symbols = TriageLook.allCases.map(\.symbol).joined()
        for word in ["checkmark", "heart", "thumbsup", "smiling", "seal"] {
            XCTAssertFalse(symbols.contains(word), symbols)
        }
        var count = 0
        let views = repository.appendingPathComponent("ios/DemoApp/DemoApp")
        for case let name as String in try XCTUnwrap(FileManager.default.enumerator(atPath: views.path))
        where name.hasSuffix(".swift") {
            let code = try String(contentsOf: views.appendingPathComponent(name), encoding: .utf8)
            XCTAssertNil(code.range(of: "\\.(green|mint|teal|systemGreen)\\b", options: .regularExpression), name)
            let named = try colors(in: code)
            for (red, green, blue) in named { XCTAssertLessThanOrEqual(green, max(red, blue), name) }
            count += named.count
        }
        XCTAssertEqual(count, 13, "the colours of four levels, light and dark, and one white")
    }

    /// The red, green and blue of each colour that the code has as `0xRRGGBB`.
    private func colors(in code: String) throws -> [(Int, Int, Int)] {
        let pattern = try NSRegularExpression(pattern: "0x([0-9A-F]{6})\\b")
        return try pattern.matches(in: code, range: NSRange(code.startIndex..., in: code)).map { match in
            let digits = code[try XCTUnwrap(Range(match.range(at: 1), in: code))]
            let number = try XCTUnwrap(Int(digits, radix: 16))
            return (number >> 16, number >> 8 & 255, number & 255)
        }
    }

    func testCaseNumberIsTheDayAndFourUnambiguousCharacters() throws {
        let zone = try XCTUnwrap(TimeZone(identifier: "Europe/Kyiv"))
        // 2026-11-23 22:30 UTC is half past midnight in Kyiv.
        let date = Date(timeIntervalSince1970: 1_795_473_000)
        var random = SystemRandomNumberGenerator()
        let numbers = (0..<300).map { _ in caseNumber(on: date, in: zone, using: &random) }
        for number in numbers {
            let pattern = "^2026-11-24-[2-9A-Z]{4}$"
            XCTAssertNotNil(number.range(of: pattern, options: .regularExpression), number)
            let mixedUp = CharacterSet(charactersIn: "01OIL5SBZUVAEQ")
            XCTAssertNil(number.dropFirst(11).rangeOfCharacter(from: mixedUp), number)
        }
        XCTAssertGreaterThan(Set(numbers).count, 290)
    }
}
