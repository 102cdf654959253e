// The names of kinds, options and fields, held against the list that all languages share.

import Foundation
import XCTest

@testable import Bedside

final class NamesTests: XCTestCase {
    private func names(_ key: String) throws -> [String] {
        let lists = try JSONSerialization.jsonObject(with: bytes("bindings/names.json"))
        return try XCTUnwrap((lists as? [String: [String]])?[key], key)
    }

    func testErrorKinds() throws {
        XCTAssertEqual(errorKinds.map(errorKindName), try names("error_kinds"))
    }

    func testEveryErrorHasTheKindOfItsName() throws {
        XCTAssertEqual(errors.map(\.kind), errorKinds)
        for error in errors {
            let name = try XCTUnwrap(Mirror(reflecting: error).children.first?.label)
            XCTAssertEqual(snakeCase(name), errorKindName(error.kind))
            XCTAssertEqual(error.message, "what to do")
        }
    }

    func testVerdictKinds() throws {
        let verdicts: [Verdict] = [
            .single(label: LabelName(id: "", name: "")), .several(labels: []), .noFinding, .rejected(reasons: []),
        ]
        XCTAssertEqual(verdicts.map(verdictKind), try names("verdict_kinds"))
    }

    func testReasonKinds() throws {
        let kinds: [ReasonKind] = [.scopeUnanswered, .scopeNo, .scopeOutOfRange]
        XCTAssertEqual(kinds.map(reasonKindName), try names("reason_kinds"))
    }

    func testTriage() throws {
        let levels: [Triage] = [.routine, .refer, .urgent, .repeat]
        XCTAssertEqual(levels.map(triageName), try names("triage"))
    }

    func testFieldsOfOptionsLimitsAndQuery() throws {
        XCTAssertEqual(fields(Options()), try names("options"))
        XCTAssertEqual(fields(Limits()), try names("limits"))
        XCTAssertEqual(fields(Query()), try names("query"))
    }

    func testAQueryKeepsItsFieldsWhenItGetsAHandle() throws {
        let full = Query(
            maxResults: 1, scoreThreshold: 0.5, allow: ["a"], deny: ["b"], language: "uk",
            region: Region(left: 0, top: 0, width: 0.5, height: 0.5), prevalence: ["a": 1], answers: ["ready": .no])
        let handle = try CancelHandle()
        let (before, after) = (Mirror(reflecting: full).children, Mirror(reflecting: full.ended(by: handle)).children)
        for ((name, old), (_, new)) in zip(before, after) where name != "cancel" {
            XCTAssertEqual("\(old)", "\(new)", name ?? "")
            // A field that this test does not set would show nothing.
            let untouched = Mirror(reflecting: Query()).children.first { $0.label == name }?.value
            XCTAssertNotEqual(untouched.map { "\($0)" }, "\(old)", "set \(name ?? "") in this test")
        }
        XCTAssert(full.ended(by: handle).cancel === handle)
    }

    private func fields(_ value: Any) -> [String] {
        Mirror(reflecting: value).children.compactMap(\.label).map(snakeCase)
    }
}

private let errors: [BedsideError] = [
    .Io(message: "what to do"), .UnsupportedImage(message: "what to do"), .MalformedImage(message: "what to do"),
    .TooLarge(message: "what to do"), .MalformedModel(message: "what to do"),
    .UnsupportedModel(message: "what to do"), .InvalidManifest(message: "what to do"),
    .InvalidQuery(message: "what to do"), .Cancelled(message: "what to do"), .SelfTest(message: "what to do"),
    .Internal(message: "what to do"),
]

private let errorKinds: [ErrorKind] = [
    .io, .unsupportedImage, .malformedImage, .tooLarge, .malformedModel, .unsupportedModel, .invalidManifest,
    .invalidQuery, .cancelled, .selfTest, .internal,
]

// The switches below have no default: a case more in Swift does not compile, a case less in the list fails.

private func errorKindName(_ kind: ErrorKind) -> String {
    switch kind {
    case .io: "io"
    case .unsupportedImage: "unsupported_image"
    case .malformedImage: "malformed_image"
    case .tooLarge: "too_large"
    case .malformedModel: "malformed_model"
    case .unsupportedModel: "unsupported_model"
    case .invalidManifest: "invalid_manifest"
    case .invalidQuery: "invalid_query"
    case .cancelled: "cancelled"
    case .selfTest: "self_test"
    case .internal: "internal"
    }
}

func verdictKind(_ verdict: Verdict) -> String {
    switch verdict {
    case .single: "single"
    case .several: "several"
    case .noFinding: "no_finding"
    case .rejected: "rejected"
    }
}

func labels(_ verdict: Verdict) -> [LabelName] {
    switch verdict {
    case .single(let label): [label]
    case .several(let labels): labels
    case .noFinding, .rejected: []
    }
}

private func reasonKindName(_ kind: ReasonKind) -> String {
    switch kind {
    case .scopeUnanswered: "scope_unanswered"
    case .scopeNo: "scope_no"
    case .scopeOutOfRange: "scope_out_of_range"
    }
}

func triageName(_ triage: Triage) -> String {
    switch triage {
    case .routine: "routine"
    case .refer: "refer"
    case .urgent: "urgent"
    case .repeat: "repeat"
    }
}

/// `UnsupportedImage` and `unsupportedImage` as `unsupported_image`.
private func snakeCase(_ name: String) -> String {
    let words = name.reduce(into: "") { text, letter in
        if letter.isUppercase && !text.isEmpty { text.append("_") }
        text.append(letter.lowercased())
    }
    return words
}
