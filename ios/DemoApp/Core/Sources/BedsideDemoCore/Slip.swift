// The referral slip: what stands on its one page, from the top.

public struct Slip: Hashable, Codable, Sendable {
    public let title: String
    public let caseLine: String
    /// The file's name without its ending.
    public let fileName: String
    /// Lines to be filled in by hand: who it is about, who saw them, where they go.
    public let blanks: [String]
    public let resultTitle: String
    public let topic: String
    public let triage: TriageLook
    public let triageWord: String
    public let advice: String
    public let verdict: String
    public let reasons: [String]
    /// Empty where there are no numbers.
    public let numbersLead: String
    public let rows: [ResultPage.Row]
    /// Stands in the picture's place where it is gone; nil where there was none.
    public let pictureGone: String?
    /// To be filled in by hand, with the room that is left.
    public let remarks: String
    /// Nil where no model has looked.
    public let model: String?
    public let notice: String

    init(_ result: ResultPage, texts: Texts) {
        title = texts(.slipTitle)
        caseLine = texts(.slipCase, result.caseNumber)
        fileName = "Bedside-\(result.caseNumber)"
        blanks = [texts(.slipName), texts(.slipFrom), texts(.slipTo)]
        resultTitle = texts(.slipResult)
        topic = texts(result.topic.title)
        triage = result.triage
        triageWord = texts(result.triage.word)
        advice = texts(result.triage.advice)
        verdict = result.verdict
        reasons = result.reasons
        numbersLead = result.rows.isEmpty ? "" : texts(.findingsLead)
        rows = result.rows
        pictureGone = result.hadPicture ? texts(.resultPictureGone) : nil
        remarks = texts(.slipRemarks)
        model = result.model
        notice = texts(.appNotice)
    }
}
