package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * An opened model. One classifier serves many threads; opening one takes a fraction of a second and tens of megabytes,
 * so keep it.
 */
public final class Classifier extends Handle {
    private Classifier(byte[] reply) throws BedsideException {
        super(Reply.of(reply).handle(), number -> Native.closeClassifier(number));
    }

    /** As {@link #open(String, Options)}, with the default options. */
    public static Classifier open(String path) throws BedsideException {
        return open(path, Options.DEFAULT);
    }

    /**
     * Opens a model: an ONNX file, or a prepared one, with its manifest inside or in {@code model.json} beside it. A library
     * without the importer opens prepared ones only.
     *
     * @throws BedsideException {@code IO}, {@code TOO_LARGE}, {@code MALFORMED_MODEL}, {@code UNSUPPORTED_MODEL},
     *     {@code INVALID_MANIFEST}; {@code INVALID_QUERY} where an option is below 0
     */
    public static Classifier open(String path, Options options) throws BedsideException {
        Request request = new Request().string(Objects.requireNonNull(path, "path"));
        return new Classifier(Native.openClassifier(options.write(request).toBytes()));
    }

    /** As {@link #fromBytes(byte[], Options)}, with the default options. */
    public static Classifier fromBytes(byte[] model) throws BedsideException {
        return fromBytes(model, Options.DEFAULT);
    }

    /**
     * Opens a model from the bytes of an ONNX or a prepared file with its manifest inside: an app's asset is no file.
     *
     * @throws BedsideException as {@link #open(String, Options)}, without {@code IO}
     */
    public static Classifier fromBytes(byte[] model, Options options) throws BedsideException {
        Objects.requireNonNull(model, "model");
        return new Classifier(Native.classifierFromBytes(model, options.write(new Request()).toBytes()));
    }

    /** As {@link #classify(Image, Query)}, with the default query. */
    public Report classify(Image image) throws BedsideException {
        return classify(image, Query.DEFAULT);
    }

    /**
     * Looks at one picture. Blocks for tens to hundreds of milliseconds.
     *
     * @throws BedsideException {@code INVALID_QUERY} where the query does not fit the model;
     *     {@code UNSUPPORTED_IMAGE}, {@code MALFORMED_IMAGE}, {@code TOO_LARGE}; {@code CANCELLED};
     *     {@code UNSUPPORTED_MODEL} where the graph gives no scores
     */
    public Report classify(Image image, Query query) throws BedsideException {
        byte[] reply = Native.classify(number(), image.number(), query.toBytes());
        return new Report(Reply.of(reply, this, image, query.cancel()));
    }

    /** As {@link #classifyFrame(ByteBuffer, FrameFormat, Query)}, with the default query. */
    public Report classifyFrame(ByteBuffer pixels, FrameFormat format) throws BedsideException {
        return classifyFrame(pixels, format, Query.DEFAULT);
    }

    /**
     * Looks at one frame without copying it.
     *
     * @param pixels a direct buffer; its bytes from position to limit are the frame, and must not change before this
     *     returns
     * @throws BedsideException as {@link #classify(Image, Query)}
     * @throws IllegalArgumentException where the buffer is not direct
     */
    public Report classifyFrame(ByteBuffer pixels, FrameFormat format, Query query) throws BedsideException {
        byte[] reply = Native.classifyPlanes(
                number(), Planes.of(pixels, "pixels"), null, null, format.toBytes(), query.toBytes());
        return new Report(Reply.of(reply, this, query.cancel()));
    }

    /** As {@link #classifyYuv420(ByteBuffer, ByteBuffer, ByteBuffer, FrameFormat, Query)}, with the default query. */
    public Report classifyYuv420(ByteBuffer y, ByteBuffer u, ByteBuffer v, FrameFormat format) throws BedsideException {
        return classifyYuv420(y, u, v, format, Query.DEFAULT);
    }

    /**
     * Looks at one frame of three planes without copying it, such as Android's {@code YUV_420_888}.
     *
     * @param y a direct buffer, as are {@code u} and {@code v}; their bytes from position to limit are the planes, and
     *     must not change before this returns
     * @throws BedsideException as {@link #classify(Image, Query)}
     * @throws IllegalArgumentException where a buffer is not direct
     */
    public Report classifyYuv420(ByteBuffer y, ByteBuffer u, ByteBuffer v, FrameFormat format, Query query)
            throws BedsideException {
        byte[] reply = Native.classifyPlanes(
                number(), Planes.of(y, "y"), Planes.of(u, "u"), Planes.of(v, "v"), format.toBytes(), query.toBytes());
        return new Report(Reply.of(reply, this, query.cancel()));
    }

    /**
     * Checks a query against the model, as {@code classify} does first.
     *
     * @throws BedsideException {@code INVALID_QUERY} names the field
     */
    public void check(Query query) throws BedsideException {
        Reply.of(Native.check(number(), query.toBytes()), this, query.cancel());
    }

    /**
     * The reasons for which the query's answers alone reject every picture; none where they are in scope. Ask before
     * somebody takes a picture in vain.
     *
     * @throws BedsideException {@code INVALID_QUERY} names the field
     */
    public List<Reason> scopeReasons(Query query) throws BedsideException {
        return Reply.of(Native.scopeReasons(number(), query.toBytes()), this, query.cancel()).list(Reason::new);
    }

    /** Runs the graph once on a blank picture, so that the first real one is not slower than the rest. */
    public void warmUp() throws BedsideException {
        Reply.of(Native.warmUp(number()), this);
    }

    /**
     * Runs the manifest's golden sample, from its encoded picture to its scores.
     *
     * @return null where the model has none
     * @throws BedsideException {@code SELF_TEST} where a label's score is not within 0.02 of the golden one: the model must
     *     not be used on this device. No order is compared: labels less than 0.04 apart may come out in another one
     */
    public SelfTest selfTest() throws BedsideException {
        return Reply.of(Native.selfTest(number()), this).optional(SelfTest::new);
    }

    /**
     * The probability of each label for the whole picture, in the manifest's order, before temperature and without any
     * verdict: what a lab compares with its own runtime. Not for a result.
     *
     * @throws BedsideException as {@link #classify(Image, Query)}
     */
    public List<Float> scores(Image image) throws BedsideException {
        return Reply.of(Native.scores(number(), image.number()), this, image).list(Reply::real);
    }

    /** What the model says about itself, in English. */
    public Manifest manifest() throws BedsideException {
        return manifest("en");
    }

    /**
     * What the model says about itself.
     *
     * @param language a BCP 47 tag; where the model does not have it, the next best is given
     */
    public Manifest manifest(String language) throws BedsideException {
        return new Manifest(Reply.of(Native.manifest(number(), Request.of(language)), this));
    }

    /** Which model this is. */
    public ModelIdentity identity() throws BedsideException {
        return new ModelIdentity(Reply.of(Native.identity(number()), this));
    }

    /** How long the parts of opening it took, in milliseconds. */
    public LoadTimes loadTimesMs() throws BedsideException {
        return new LoadTimes(Reply.of(Native.loadTimesMs(number()), this));
    }
}
