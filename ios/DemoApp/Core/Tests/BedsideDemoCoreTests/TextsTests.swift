// The string catalogue, and the code that uses it.

import Foundation
import XCTest

@testable import BedsideDemoCore

final class TextsTests: XCTestCase {
    private func sources(_ folder: String) throws -> [String: String] {
        let place = repository.appendingPathComponent("ios/DemoApp/\(folder)")
        let names = try XCTUnwrap(FileManager.default.enumerator(atPath: place.path)).compactMap { $0 as? String }
        let swift = names.filter { $0.hasSuffix(".swift") && !$0.hasSuffix("Key.swift") }
        let files = try swift.map { name in
            (name, try String(contentsOf: place.appendingPathComponent(name), encoding: .utf8))
        }
        XCTAssertGreaterThan(files.count, 5, folder)
        return Dictionary(uniqueKeysWithValues: files)
    }

    /// The matches of the first group of a pattern.
    private func matches(_ pattern: String, in text: String) throws -> [String] {
        try NSRegularExpression(pattern: pattern).matches(in: text, range: NSRange(text.startIndex..., in: text))
            .map { match in String(text[try XCTUnwrap(Range(match.range(at: 1), in: text))]) }
    }

    private func key(ofCase name: String) -> Key? {
        Key.allCases.first { "\($0)" == name }
    }

    func testCatalogueHasTheKeysInBothLanguages() throws {
        let catalogue = try Catalogue()
        XCTAssertEqual(catalogue.keys, Set(Key.allCases.map(\.rawValue)))
        for key in Key.allCases {
            for language in languages {
                XCTAssertFalse(try catalogue.sentence(key.rawValue, language).isEmpty, key.rawValue)
            }
        }
    }

    func testKeysAreAllUsed() throws {
        let code = try ["Core/Sources", "DemoApp"].flatMap { try sources($0).values }.joined()
        let used = Set(try matches("\\.([a-z][A-Za-z]+)\\b", in: code))
        for key in Key.allCases { XCTAssert(used.contains("\(key)"), "\(key) is shown nowhere") }
    }

    func testSentencesWithoutArgumentsHaveNoPlaceholders() throws {
        let catalogue = try Catalogue()
        for (file, code) in try sources("DemoApp").merging(sources("Core/Sources"), uniquingKeysWith: { a, _ in a }) {
            for name in try matches("(?:texts|self)\\(\\.([a-z][A-Za-z]+)\\)", in: code) {
                let key = try XCTUnwrap(key(ofCase: name), "\(file): \(name)")
                for language in languages {
                    XCTAssertFalse(try catalogue.sentence(key.rawValue, language).contains("$@"), "\(file): \(name)")
                }
            }
        }
    }

    func testCodeHasNoSentences() throws {
        for folder in ["Core/Sources", "DemoApp"] {
            for (file, code) in try sources(folder) {
                let lines = code.split(separator: "\n").filter { !$0.contains("//") }.joined(separator: "\n")
                for literal in try matches(#""((?:[^"\\\n]|\\.)*)""#, in: lines) {
                    let isSentence = literal.range(of: "[A-Za-z]{2} [A-Za-z]", options: .regularExpression) != nil
                    XCTAssertFalse(isSentence, "\(file): “\(literal)” belongs into docs/copy/deck.toml")
                }
            }
        }
    }

    func testSystemTextsAreInBothLanguages() throws {
        let file = try json(bytes("ios/DemoApp/DemoApp/InfoPlist.xcstrings"))
        let strings = try XCTUnwrap(file["strings"] as? [String: [String: Any]])
        XCTAssertEqual(Set(strings.keys), ["CFBundleDisplayName", "NSCameraUsageDescription"])
        for entry in strings.values {
            XCTAssertEqual(Set(try XCTUnwrap(entry["localizations"] as? [String: Any]).keys), Set(languages))
        }
    }

    func testTextsFillInArgumentsByNumber() {
        let wordings = ["result_model": "%2$@ of %1$@: %3$@ %%", "home_title": "5 % of it"]
        let texts = Texts(language: "en") { wordings[$0] ?? "" }
        XCTAssertEqual(texts(.resultModel, "a", "%1$@ %%", "c"), "%1$@ %% of a: c %")
        XCTAssertEqual(texts(.homeTitle), "5 % of it", "a sentence without arguments is unchanged")
    }

    func testNumbersAndTimesAreInTheFormatOfTheLanguage() throws {
        let catalogue = try Catalogue()
        let zone = try XCTUnwrap(TimeZone(identifier: "Europe/Kyiv"))
        // 2026-11-23 22:30 UTC is half past midnight in Kyiv.
        let date = Date(timeIntervalSince1970: 1_795_473_000)
        let formats = [
            ("en", "12.3\u{a0}%", "0.0\u{a0}%", ["Nov 24, 2026", "12:30"]), ("uk", "12,3\u{a0}%", "0,0\u{a0}%", ["24", "2026", "00:30"]),
        ]
        for (language, some, none, parts) in formats {
            let texts = catalogue.texts(language)
            XCTAssertEqual(texts.percent(0.1234), some)
            XCTAssertEqual(texts.percent(0), none)
            let moment = texts.moment(date, in: zone)
            for part in parts { XCTAssert(moment.contains(part), moment) }
        }
    }
}
