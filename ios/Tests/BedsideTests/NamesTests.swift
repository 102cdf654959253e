// The names of kinds, options and fields, and the defaults, compared with the list that all languages share.

import Foundation
import XCTest

@testable import Bedside

/// The `defaults` of bindings/names.json, by their names in Swift.
private struct Defaults: Decodable {
    struct LimitDefaults: Decodable {
        let maxDeclaredPixels: UInt64
        let maxDecodedBytes: UInt64
        let maxModelBytes: UInt64
    }

    struct OptionDefaults: Decodable {
        let threads: UInt32
        let limits: LimitDefaults
    }

    struct QueryDefaults: Decodable {
        let maxResults: UInt32?
        let scoreThreshold: Float
        let allow: [String]
        let deny: [String]
        let language: String
        let region: [String: Float]?
        let prevalence: [String: Float]
        let answers: [String: String]
        let source: String?
        let refusals: UInt32
        let explain: String?
        let cancel: String?
    }

    struct FormatDefaults: Decodable {
        let mirrored: Bool
    }

    let options: OptionDefaults
    let query: QueryDefaults
    let frameFormat: FormatDefaults

    static func read() throws -> Defaults {
        struct Shared: Decodable {
            let defaults: Defaults
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Shared.self, from: bytes("bindings/names.json")).defaults
    }
}

final class NamesTests: XCTestCase {
    private func names(_ key: String) throws -> [String] {
        let lists = try JSONSerialization.jsonObject(with: bytes("bindings/names.json"))
        return try XCTUnwrap((lists as? [String: Any])?[key] as? [String], key)
    }

    func testErrorKindsHaveTheSharedNames() throws {
        XCTAssertEqual(errorKinds.map(errorKindName), try names("error_kinds"))
    }

    func testErrorCaseHasTheKindOfItsName() throws {
        XCTAssertEqual(errors.map(\.kind), errorKinds)
        for error in errors {
            let name = try XCTUnwrap(Mirror(reflecting: error).children.first?.label)
            XCTAssertEqual(snakeCase(name), errorKindName(error.kind))
            XCTAssertEqual(error.message, "what to do")
        }
    }

    func testVerdictKindsHaveTheSharedNames() throws {
        let verdicts: [Verdict] = [
            .single(label: LabelName(id: "", name: "", level: .refer)), .several(labels: []), .undecided,
            .rejected(reasons: []),
        ]
        XCTAssertEqual(verdicts.map(verdictKind), try names("verdict_kinds"))
    }

    func testReasonKindsHaveTheSharedNames() throws {
        let kinds: [ReasonKind] = [
            .scopeUnanswered, .scopeNo, .scopeOutOfRange, .source, .tooSmall, .tooDark, .tooBright, .lowContrast,
            .outOfFocus, .colorless, .colored, .novel,
        ]
        XCTAssertEqual(kinds.map(reasonKindName), try names("reason_kinds"))
    }

    func testWarningKindsHaveTheSharedNames() throws {
        let kinds: [WarningKind] = [.burnedIn, .overlay, .otherRegion]
        XCTAssertEqual(kinds.map(warningKindName), try names("warning_kinds"))
    }

    func testTriageLevelsHaveTheSharedNames() throws {
        let levels: [Triage] = [.noSign, .unassessed, .refer, .urgent]
        XCTAssertEqual(levels.map(triageName), try names("triage"))
        XCTAssertEqual(levels.reversed().sorted(), levels)
    }

    func testDecidersAndRolesHaveTheSharedNames() throws {
        let deciders: [DecidedBy] = [
            .danger, .scope, .quality, .repeatedQuality, .novelty, .label, .action, .undecided, .noSignNotShown,
            .uncalibrated,
        ]
        XCTAssertEqual(deciders.map(deciderName), try names("decided_by"))
        let roles: [QuestionRole] = [.scope, .danger]
        XCTAssertEqual(roles.map(roleName), try names("question_roles"))
        let sources: [Source] = [.camera, .file]
        XCTAssertEqual(sources.map(sourceName), try names("sources"))
        let methods: [ExplainMethod] = [.classActivation, .occlusion]
        XCTAssertEqual(methods.map(methodName), try names("explain_methods"))
    }

    func testOptionsLimitsAndQueryHaveTheSharedFields() throws {
        XCTAssertEqual(fields(Options()), try names("options"))
        XCTAssertEqual(fields(Limits()), try names("limits"))
        XCTAssertEqual(fields(Query()), try names("query"))
    }

    func testOptionsHaveTheSharedDefaults() throws {
        let wanted = try Defaults.read().options
        let options = Options()
        XCTAssertEqual(options.threads, wanted.threads)
        XCTAssertEqual(options.limits.maxDeclaredPixels, wanted.limits.maxDeclaredPixels)
        XCTAssertEqual(options.limits.maxDecodedBytes, wanted.limits.maxDecodedBytes)
        XCTAssertEqual(options.limits.maxModelBytes, wanted.limits.maxModelBytes)
        XCTAssertEqual(options.limits, Limits())
    }

    func testQueryHasTheSharedDefaults() throws {
        let wanted = try Defaults.read().query
        let query = Query()
        XCTAssertEqual(query.maxResults, wanted.maxResults)
        XCTAssertEqual(query.scoreThreshold, wanted.scoreThreshold)
        XCTAssertEqual(query.allow, wanted.allow)
        XCTAssertEqual(query.deny, wanted.deny)
        XCTAssertEqual(query.language, wanted.language)
        XCTAssertEqual(query.region == nil, wanted.region == nil)
        XCTAssertEqual(query.prevalence, wanted.prevalence)
        XCTAssertEqual(query.answers.keys.sorted(), wanted.answers.keys.sorted())
        XCTAssertEqual(query.source == nil, wanted.source == nil)
        XCTAssertEqual(query.refusals, wanted.refusals)
        XCTAssertEqual(query.explain == nil, wanted.explain == nil)
        XCTAssertEqual(query.cancel == nil, wanted.cancel == nil)
    }

    func testFrameFormatHasTheSharedDefaults() throws {
        let wanted = try Defaults.read().frameFormat
        XCTAssertEqual(FrameFormat(layout: .encoded, rotation: .upright).mirrored, wanted.mirrored)
    }

    func testQueryKeepsItsFieldsWithAnotherHandle() throws {
        let full = Query(
            maxResults: 1, scoreThreshold: 0.5, allow: ["a"], deny: ["b"], language: "uk",
            region: Region(left: 0, top: 0, width: 0.5, height: 0.5), prevalence: ["a": 1], answers: ["ready": .no],
            source: .camera, refusals: 1, explain: Explain(method: .occlusion))
        let handle = try CancelHandle()
        let (before, after) = (Mirror(reflecting: full).children, Mirror(reflecting: full.ended(by: handle)).children)
        for ((name, old), (_, new)) in zip(before, after) where name != "cancel" {
            XCTAssertEqual("\(old)", "\(new)", name ?? "")
            // Fails where a field keeps its default, because the comparison above proves nothing then.
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

// The switches below have no default case, so a new case in Swift does not compile, and a missing one in the list
// fails.

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
    case .undecided: "undecided"
    case .rejected: "rejected"
    }
}

func labels(_ verdict: Verdict) -> [LabelName] {
    switch verdict {
    case .single(let label): [label]
    case .several(let labels): labels
    case .undecided, .rejected: []
    }
}

private func reasonKindName(_ kind: ReasonKind) -> String {
    switch kind {
    case .scopeUnanswered: "scope_unanswered"
    case .scopeNo: "scope_no"
    case .scopeOutOfRange: "scope_out_of_range"
    case .source: "source"
    case .tooSmall: "too_small"
    case .tooDark: "too_dark"
    case .tooBright: "too_bright"
    case .lowContrast: "low_contrast"
    case .outOfFocus: "out_of_focus"
    case .colorless: "colorless"
    case .colored: "colored"
    case .novel: "novel"
    }
}

private func warningKindName(_ kind: WarningKind) -> String {
    switch kind {
    case .burnedIn: "burned_in"
    case .overlay: "overlay"
    case .otherRegion: "other_region"
    }
}

func triageName(_ triage: Triage) -> String {
    switch triage {
    case .noSign: "no_sign"
    case .unassessed: "unassessed"
    case .refer: "refer"
    case .urgent: "urgent"
    }
}

func deciderName(_ decider: DecidedBy) -> String {
    switch decider {
    case .danger: "danger"
    case .scope: "scope"
    case .quality: "quality"
    case .repeatedQuality: "repeated_quality"
    case .novelty: "novelty"
    case .label: "label"
    case .action: "action"
    case .undecided: "undecided"
    case .noSignNotShown: "no_sign_not_shown"
    case .uncalibrated: "uncalibrated"
    }
}

private func sourceName(_ source: Source) -> String {
    switch source {
    case .camera: "camera"
    case .file: "file"
    }
}

private func methodName(_ method: ExplainMethod) -> String {
    switch method {
    case .classActivation: "class_activation"
    case .occlusion: "occlusion"
    }
}

private func roleName(_ role: QuestionRole) -> String {
    switch role {
    case .scope: "scope"
    case .danger: "danger"
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
