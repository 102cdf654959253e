// A report prints itself. The report itself is generated.

extension Report: CustomStringConvertible {
    /// `text`: verdict, triage, findings, times, model and notice, in words.
    public var description: String { text }
}
