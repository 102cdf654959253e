package dev.bedside.jni;

/** The identity of a model. */
public final class ModelIdentity {
    private final String name;
    private final String version;
    private final String graphSha256;

    ModelIdentity(Reply reply) {
        name = reply.string();
        version = reply.string();
        graphSha256 = reply.string();
    }

    /** The manifest's name. */
    public String getName() {
        return name;
    }

    /** The manifest's version. */
    public String getVersion() {
        return version;
    }

    /** The SHA-256 of the graph, in hex. */
    public String getGraphSha256() {
        return graphSha256;
    }
}
