package dev.bedside.jni;

/** An answer to a scope question. */
public final class Answer {
    /** Yes. */
    public static final Answer YES = new Answer(0, 0);
    /** No. */
    public static final Answer NO = new Answer(1, 0);

    private static final int NUMBER = 2;

    private final int kind;
    private final double value;

    private Answer(int kind, double value) {
        this.kind = kind;
        this.value = value;
    }

    /** A number in the question's unit, for a question that has a {@code min} or a {@code max}. */
    public static Answer number(double value) {
        return new Answer(NUMBER, value);
    }

    void write(Request request) {
        request.int8(kind);
        if (kind == NUMBER) {
            request.float64(value);
        }
    }
}
