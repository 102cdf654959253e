package dev.bedside.jni;

/** The identity of a runtime. */
public final class RuntimeIdentity {
    private final String name;
    private final String version;

    RuntimeIdentity(Reply reply) {
        name = reply.string();
        version = reply.string();
    }

    /** {@code bedside}. */
    public String getName() {
        return name;
    }

    /** Its version. */
    public String getVersion() {
        return version;
    }
}
