// The description of a report. The report itself is generated.

extension Report: CustomStringConvertible {
    /// The same as `text`: verdict, triage, findings, times, model and notice, in words.
    public var description: String { text }
}
