// The note for a doctor: the texts of its one page, from the top.

public struct Slip: Hashable, Codable, Sendable {
    public let title: String
    public let caseLine: String
    public let timeLine: String
    /// The file's name without its ending.
    public let fileName: String
    /// Labels of lines to be filled in by hand: the person, who refers them, and where to.
    public let blanks: [String]
    /// The label of a field for the lesion's site on the body, which may stay empty; nil where there is none.
    public let siteField: String?
    public let howTitle: String
    /// Where the picture came from, and the questions about it with their answers.
    public let how: [String]
    public let dangerTitle: String
    /// The danger signs that were stated, or the sentence that none was.
    public let danger: [String]
    public let resultTitle: String
    public let topic: String
    public let triage: TriageLook
    public let triageWord: String
    public let advice: String
    public let verdict: String
    public let reasons: [String]
    /// Whether the page shows the picture: there is one, and no name may be written in it.
    public let hasPicture: Bool
    /// The part of the picture that the page shows; nil for all of it.
    public let part: Part?
    /// The sentence in the place of a picture that is gone; nil where there was no picture.
    public let pictureGone: String?
    /// The label of the rest of the page, to be filled in by hand.
    public let remarks: String
    /// Nil where the model did not run.
    public let model: String?
    public let notice: String

    init(_ result: ResultPage, texts: Texts) {
        title = texts(.slipTitle)
        caseLine = texts(.slipCase, result.case.number)
        timeLine = texts(.slipTime, texts.moment(result.case.date))
        fileName = "Bedside-\(result.case.number)"
        blanks = [texts(.slipName), texts(.slipFrom), texts(.slipTo)]
        siteField = result.topic.hasSite ? texts(.slipSiteField) : nil
        howTitle = texts(.slipHow)
        how = [texts(result.case.source?.line ?? .slipNone)] + result.case.answers
        dangerTitle = texts(result.isByDanger ? .resultDanger : .slipDanger)
        danger = result.danger.isEmpty ? [texts(.slipDangerNone)] : result.danger
        resultTitle = texts(.slipResult)
        topic = texts(result.topic.title)
        triage = result.triage
        triageWord = texts(result.triage.word)
        advice = result.advice
        verdict = result.verdict
        reasons = result.reasons
        part = result.case.part
        hasPicture = result.hadPicture && !result.mayShowName
        pictureGone = hasPicture ? texts(.resultPictureGone) : nil
        remarks = texts(.slipRemarks)
        model = result.clinicians?.model
        notice = texts(.appNotice)
    }
}

extension Texts {
    /// The line of the site on the body, of at most 80 characters of what was typed; nil where nothing was.
    public func siteLine(_ typed: String) -> String? {
        let site = typed.split(whereSeparator: \.isWhitespace).joined(separator: " ").prefix(80)
        return site.isEmpty ? nil : self(.slipSite, String(site))
    }
}
