package dev.bedside.jni;

import java.util.List;

/**
 * The result of a classification. Research software, not a medical device: show {@link #getNotice} wherever you show a
 * result.
 */
public final class Report {
    private final Verdict verdict;
    private final String summary;
    private final Triage triage;
    private final DecidedBy decidedBy;
    private final String advice;
    private final List<DangerSign> danger;
    private final List<Finding> findings;
    private final Quality quality;
    private final List<Warning> warnings;
    private final Geometry geometry;
    private final Novelty novelty;
    private final Heatmap heatmap;
    private final Timings timingsMs;
    private final ModelIdentity model;
    private final RuntimeIdentity runtime;
    private final String notice;
    private final String text;
    private final String json;

    Report(Reply reply) {
        verdict = new Verdict(reply);
        summary = reply.string();
        triage = reply.named(Triage.class);
        decidedBy = reply.named(DecidedBy.class);
        advice = reply.string();
        danger = reply.list(DangerSign::new);
        findings = reply.list(Finding::new);
        quality = reply.optional(Quality::new);
        warnings = reply.list(Warning::new);
        geometry = reply.optional(Geometry::new);
        novelty = reply.optional(Novelty::new);
        heatmap = reply.optional(Heatmap::new);
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

    /**
     * The headline: the verdict as a sentence in the query's language, without labels whose level is {@code NO_SIGN}.
     */
    public String getSummary() {
        return summary;
    }

    /** What a person should do. */
    public Triage getTriage() {
        return triage;
    }

    /** What decided the triage. */
    public DecidedBy getDecidedBy() {
        return decidedBy;
    }

    /** The triage as a sentence, in the query's language. */
    public String getAdvice() {
        return advice;
    }

    /** The danger signs that the query's answers state, in the order of the questions. */
    public List<DangerSign> getDanger() {
        return danger;
    }

    /** The labels that the query asks for, likeliest first. Empty where the verdict is {@code REJECTED}. */
    public List<Finding> getFindings() {
        return findings;
    }

    /**
     * The measures of the picture, also where the model has no limits for them or the verdict is {@code REJECTED}; null
     * only where no picture was decoded.
     */
    public Quality getQuality() {
        return quality;
    }

    /**
     * What to know of the picture, whatever the verdict is: show them with it. Empty where no picture was decoded.
     */
    public List<Warning> getWarnings() {
        return warnings;
    }

    /** Which part of the picture was looked at, and how large it is; null only where no picture was decoded. */
    public Geometry getGeometry() {
        return geometry;
    }

    /**
     * How unlike the pictures that the model was made for this one is; null where the model does not tell, and where the
     * graph did not run.
     */
    public Novelty getNovelty() {
        return novelty;
    }

    /** The heatmap that the query asks for; null where it asks for none, or the verdict is {@code REJECTED}. */
    public Heatmap getHeatmap() {
        return heatmap;
    }

    /** How long each stage took, in milliseconds. */
    public Timings getTimingsMs() {
        return timingsMs;
    }

    /** The model that was run. */
    public ModelIdentity getModel() {
        return model;
    }

    /** The runtime that ran it. */
    public RuntimeIdentity getRuntime() {
        return runtime;
    }

    /** The sentence that must be shown with every result, in the query's language. */
    public String getNotice() {
        return notice;
    }

    /**
     * The report as text for a person, as the command {@code bedside classify} prints it. Headings are English;
     * sentences and names are in the query's language.
     */
    public String getText() {
        return text;
    }

    /** The report as JSON, on one line. */
    public String getJson() {
        return json;
    }

    /** The same as {@link #getText}. */
    @Override
    public String toString() {
        return text;
    }
}
