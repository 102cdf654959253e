package dev.bedside.jni;

import java.util.List;

/**
 * What a classification says. Research software, not a medical device: show {@link #getNotice} wherever you
 * show it.
 */
public final class Report {
    private final Verdict verdict;
    private final Triage triage;
    private final List<Finding> findings;
    private final Timings timingsMs;
    private final ModelIdentity model;
    private final RuntimeIdentity runtime;
    private final String notice;
    private final String text;
    private final String json;

    Report(Reply reply) {
        verdict = new Verdict(reply);
        triage = reply.named(Triage.class);
        findings = reply.list(Finding::new);
        timingsMs = new Timings(reply);
        model = new ModelIdentity(reply);
        runtime = new RuntimeIdentity(reply);
        notice = reply.string();
        text = reply.string();
        json = reply.string();
    }

    /** What can't be excluded, from all labels. */
    public Verdict getVerdict() {
        return verdict;
    }

    /** What a person should do. */
    public Triage getTriage() {
        return triage;
    }

    /** The labels that the query asked for, likeliest first. Empty where the verdict is {@code REJECTED}. */
    public List<Finding> getFindings() {
        return findings;
    }

    /** How long each stage took, in milliseconds. */
    public Timings getTimingsMs() {
        return timingsMs;
    }

    /** The model that said so. */
    public ModelIdentity getModel() {
        return model;
    }

    /** The runtime that ran it. */
    public RuntimeIdentity getRuntime() {
        return runtime;
    }

    /** The sentence that must stand wherever a result is shown. */
    public String getNotice() {
        return notice;
    }

    /**
     * The report in words, for a person to read: what the command {@code bedside classify} prints. In English, but
     * for names and questions.
     */
    public String getText() {
        return text;
    }

    /** The report as JSON, on one line. */
    public String getJson() {
        return json;
    }

    /** As {@link #getText}. */
    @Override
    public String toString() {
        return text;
    }
}
