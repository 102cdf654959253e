package dev.bedside.jni;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Objects;

/**
 * An opened model. Many threads may use one classifier at once. Opening one takes a fraction of a second and tens of
 * megabytes, so keep it.
 */
public final class Classifier extends Handle {
    private Classifier(byte[] reply) throws BedsideException {
        super(Reply.of(reply).handle(), number -> Native.closeClassifier(number));
    }

    /** Does the same as {@link #open(String, Options)} with the default options. */
    public static Classifier open(String path) throws BedsideException {
        return open(path, Options.DEFAULT);
    }

    /**
     * Opens a model: an ONNX file or a prepared one, with its manifest inside, or in {@code model.json} beside it. A
     * library without the ONNX importer opens prepared models only.
     *
     * <p>Runs on the caller's thread for a fraction of a second: do not call it on the main thread.
     *
     * @throws BedsideException with {@code IO}, {@code TOO_LARGE}, {@code MALFORMED_MODEL}, {@code UNSUPPORTED_MODEL}
     *     or {@code INVALID_MANIFEST}; with {@code INVALID_QUERY} where an option is below 0
     */
    public static Classifier open(String path, Options options) throws BedsideException {
        Request request = new Request().string(Objects.requireNonNull(path, "path"));
        return new Classifier(Native.openClassifier(options.write(request).toBytes()));
    }

    /** Does the same as {@link #fromBytes(byte[], Options)} with the default options. */
    public static Classifier fromBytes(byte[] model) throws BedsideException {
        return fromBytes(model, Options.DEFAULT);
    }

    /**
     * Opens a model from the bytes of an ONNX file or a prepared one with its manifest inside, such as an app's asset.
     *
     * <p>Runs on the caller's thread.
     *
     * @throws BedsideException as {@link #open(String, Options)} does, except with {@code IO}
     */
    public static Classifier fromBytes(byte[] model, Options options) throws BedsideException {
        Objects.requireNonNull(model, "model");
        return new Classifier(Native.classifierFromBytes(model, options.write(new Request()).toBytes()));
    }

    /** Does the same as {@link #classify(Image, Query)} with the default query. */
    public Report classify(Image image) throws BedsideException {
        return classify(image, Query.DEFAULT);
    }

    /**
     * Classifies one picture.
     *
     * <p>Runs on the caller's thread for tens to hundreds of milliseconds: do not call it on the main thread.
     *
     * @throws BedsideException with {@code INVALID_QUERY} where the query does not fit the model; with
     *     {@code UNSUPPORTED_IMAGE}, {@code MALFORMED_IMAGE} or {@code TOO_LARGE} where the picture can't be decoded;
     *     with {@code CANCELLED} where the query's cancel handle was used; and with {@code UNSUPPORTED_MODEL} where the
     *     graph gives no scores
     */
    public Report classify(Image image, Query query) throws BedsideException {
        byte[] reply = Native.classify(number(), image.number(), query.toBytes());
        return new Report(Reply.of(reply, this, image, query.cancel()));
    }

    /** Does the same as {@link #classifyFrame(ByteBuffer, FrameFormat, Query)} with the default query. */
    public Report classifyFrame(ByteBuffer pixels, FrameFormat format) throws BedsideException {
        return classifyFrame(pixels, format, Query.DEFAULT);
    }

    /**
     * Classifies one frame of one plane, or one encoded file, without copying it.
     *
     * @param pixels a direct buffer, which may be read-only; the bytes from its position to its limit are the frame,
     *     and they must not change before this returns
     * @throws BedsideException as {@link #classify(Image, Query)} does; with {@code MALFORMED_IMAGE} where the pixels
     *     do not fit the format
     * @throws IllegalArgumentException where the buffer is not direct
     */
    public Report classifyFrame(ByteBuffer pixels, FrameFormat format, Query query) throws BedsideException {
        byte[] reply = Native.classifyPlanes(
                number(), Planes.of(pixels, "pixels"), null, null, format.toBytes(), query.toBytes());
        return new Report(Reply.of(reply, this, query.cancel()));
    }

    /**
     * Does the same as {@link #classifyYuv420(ByteBuffer, ByteBuffer, ByteBuffer, FrameFormat, Query)} with the default
     * query.
     */
    public Report classifyYuv420(ByteBuffer y, ByteBuffer u, ByteBuffer v, FrameFormat format) throws BedsideException {
        return classifyYuv420(y, u, v, format, Query.DEFAULT);
    }

    /**
     * Classifies one YUV 4:2:0 frame, such as Android's {@code YUV_420_888}, without copying it. Each plane is a buffer
     * that begins at its first sample; the buffers of U and V may overlap where their samples are interleaved.
     *
     * @param y a direct buffer, which may be read-only, as are {@code u} and {@code v}; the bytes from a buffer's
     *     position to its limit are the plane, and they must not change before this returns
     * @param format the layout of the planes, made by {@link FrameFormat#yuv420}
     * @throws BedsideException as {@link #classify(Image, Query)} does; with {@code MALFORMED_IMAGE} where the planes
     *     do not fit the format
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
     * @throws BedsideException with {@code INVALID_QUERY}; the message names the field
     */
    public void check(Query query) throws BedsideException {
        Reply.of(Native.check(number(), query.toBytes()), this, query.cancel());
    }

    /**
     * The reasons for which the query's answers alone reject every picture; empty where the answers are in scope. Call
     * this before a picture is taken.
     *
     * @throws BedsideException with {@code INVALID_QUERY}; the message names the field
     */
    public List<Reason> scopeReasons(Query query) throws BedsideException {
        return Reply.of(Native.scopeReasons(number(), query.toBytes()), this, query.cancel()).list(Reason::new);
    }

    /**
     * Runs the graph once on a blank picture, so that the first classification is not slower than later ones.
     *
     * <p>Runs on the caller's thread for as long as a classification.
     *
     * @throws BedsideException with {@code UNSUPPORTED_MODEL} where the graph fails
     */
    public void warmUp() throws BedsideException {
        Reply.of(Native.warmUp(number()), this);
    }

    /**
     * Runs the manifest's golden sample, from its encoded picture to its scores. The order of labels is not compared:
     * labels whose golden scores are less than 0.04 apart may come in another order.
     *
     * <p>Runs on the caller's thread for as long as a classification.
     *
     * @return the result, or null where the model has no golden sample
     * @throws BedsideException with {@code SELF_TEST} where a label's score differs from the golden one by more than
     *     0.02: the model must not be used on this device
     */
    public SelfTest selfTest() throws BedsideException {
        return Reply.of(Native.selfTest(number()), this).optional(SelfTest::new);
    }

    /**
     * The probability of each label for the whole picture, 0 to 1, in the manifest's order, before temperature and
     * without a verdict. A lab compares these scores with those of its own runtime; do not show them as a result.
     *
     * @throws BedsideException as {@link #classify(Image, Query)} does
     */
    public List<Float> scores(Image image) throws BedsideException {
        return Reply.of(Native.scores(number(), image.number()), this, image).list(Reply::float32);
    }

    /** The model's description of itself, in English. */
    public Manifest manifest() throws BedsideException {
        return manifest("en");
    }

    /**
     * The model's description of itself in one language.
     *
     * @param language a BCP 47 tag; a text that lacks it is in its base language, in English, or in the first language
     *     that it has
     */
    public Manifest manifest(String language) throws BedsideException {
        return new Manifest(Reply.of(Native.manifest(number(), Request.of(language)), this));
    }

    /** The name, the version and the hash of the model. */
    public ModelIdentity identity() throws BedsideException {
        return new ModelIdentity(Reply.of(Native.identity(number()), this));
    }

    /** How long the parts of opening the model took, in milliseconds. */
    public LoadTimes loadTimesMs() throws BedsideException {
        return new LoadTimes(Reply.of(Native.loadTimesMs(number()), this));
    }
}
