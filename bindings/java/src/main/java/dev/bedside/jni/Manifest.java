package dev.bedside.jni;

import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A model's description of itself, in one language. */
public final class Manifest {
    private final String name;
    private final String version;
    private final String license;
    private final String title;
    private final String intendedUse;
    private final String notFor;
    private final Map<Triage, String> advice = new EnumMap<>(Triage.class);
    private final List<ScopeQuestion> scope;
    private final List<Label> labels;
    private final List<Label> shownLabels;
    private final String json;

    Manifest(Reply reply) {
        name = reply.string();
        version = reply.string();
        license = reply.string();
        title = reply.string();
        intendedUse = reply.string();
        notFor = reply.string();
        for (Triage level : Triage.values()) {
            advice.put(level, reply.string());
        }
        scope = reply.list(ScopeQuestion::new);
        labels = reply.list(Label::new);
        shownLabels = reply.list(Label::new);
        json = reply.string();
    }

    /** A short name: lower-case letters, digits, underscores and hyphens. */
    public String getName() {
        return name;
    }

    /** The model's own version. */
    public String getVersion() {
        return version;
    }

    /** The licence of the weights. */
    public String getLicense() {
        return license;
    }

    /** The model's name for a screen. */
    public String getTitle() {
        return title;
    }

    /** What the model is meant for; empty where the manifest does not state it. */
    public String getIntendedUse() {
        return intendedUse;
    }

    /** What the model must not be used for; empty where the manifest does not state it. */
    public String getNotFor() {
        return notFor;
    }

    /** What a person should do at a triage level, as a sentence: the model's own, else the library's. */
    public String getAdvice(Triage level) {
        return advice.get(Objects.requireNonNull(level, "level"));
    }

    /**
     * Questions whose answers say whether a picture is one that the model was made for, and which danger signs there
     * are, in the order in which they are asked.
     */
    public List<ScopeQuestion> getScope() {
        return scope;
    }

    /** The model's labels, in the order of its scores. */
    public List<Label> getLabels() {
        return labels;
    }

    /**
     * What verdicts and findings show: the labels, and in place of labels that the model can't tell apart, their group.
     * Each has the operating point in force.
     */
    public List<Label> getShownLabels() {
        return shownLabels;
    }

    /** The whole manifest as JSON, on one line. */
    public String getJson() {
        return json;
    }
}
