package dev.bedside.jni;

import java.util.List;

/** A model's description of itself, in one language. */
public final class Manifest {
    private final String name;
    private final String version;
    private final String license;
    private final String title;
    private final String intendedUse;
    private final String notFor;
    private final List<ScopeQuestion> scope;
    private final List<Label> labels;
    private final String json;

    Manifest(Reply reply) {
        name = reply.string();
        version = reply.string();
        license = reply.string();
        title = reply.string();
        intendedUse = reply.string();
        notFor = reply.string();
        scope = reply.list(ScopeQuestion::new);
        labels = reply.list(Label::new);
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

    /** Questions whose answers say whether a picture is one that the model was made for. */
    public List<ScopeQuestion> getScope() {
        return scope;
    }

    /** The model's labels, in the order of its scores. */
    public List<Label> getLabels() {
        return labels;
    }

    /** The whole manifest as JSON, on one line. */
    public String getJson() {
        return json;
    }
}
