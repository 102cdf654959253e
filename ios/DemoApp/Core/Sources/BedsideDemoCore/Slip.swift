// The referral slip: the texts of its one page, from the top.

public struct Slip: Hashable, Codable, Sendable {
    public let title: String
    public let caseLine: String
    /// The file's name without its ending.
    public let fileName: String
    /// Labels of lines to be filled in by hand: the person, who refers them, and where to.
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
    /// The sentence in the place of a picture that is gone; nil where there was no picture.
    public let pictureGone: String?
    /// The label of the rest of the page, to be filled in by hand.
    public let remarks: String
    /// Nil where the model did not run.
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
        advice = result.advice
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
