package dev.bedside.jni;

import java.util.List;

/** What a model says about itself, in one language. */
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

    /** What to call it on a screen. */
    public String getTitle() {
        return title;
    }

    /** What it is meant for; empty where it does not say. */
    public String getIntendedUse() {
        return intendedUse;
    }

    /** What it must not be used for; empty where it does not say. */
    public String getNotFor() {
        return notFor;
    }

    /** Questions whose answers say whether a picture is one that the model was made for. */
    public List<ScopeQuestion> getScope() {
        return scope;
    }

    /** What the model can name, in its own order. */
    public List<Label> getLabels() {
        return labels;
    }

    /** The whole manifest as JSON, on one line. */
    public String getJson() {
        return json;
    }
}
