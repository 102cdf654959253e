package dev.bedside.jni;

import android.content.ContentResolver;
import android.content.res.AssetManager;
import android.net.Uri;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** Models from an app's assets, and pictures from content providers. Not for a thread that draws a screen. */
public final class Android {
    private static final int MAX_MODEL_BYTES = 512 << 20;
    private static final int MAX_PICTURE_BYTES = 256 << 20;
    private static final int CHUNK = 64 * 1024;
    /** The most that is asked for at once on the word of a stream, which may be wrong. */
    private static final int MAX_FIRST = 16 << 20;

    private Android() {}

    /** As {@link #classifierFromAsset(AssetManager, String, Options)}, with the default options. */
    public static Classifier classifierFromAsset(AssetManager assets, String name) throws BedsideException {
        return classifierFromAsset(assets, name, Options.DEFAULT);
    }

    /**
     * Opens a model that is an asset of the app: an ONNX or a prepared file with its manifest inside.
     *
     * @param name the asset's path, such as {@code skin-lesion/model.onnx}
     * @throws BedsideException {@code IO} where there is no such asset; {@code TOO_LARGE} where memory is short; else
     *     as {@link Classifier#fromBytes(byte[], Options)}
     */
    public static Classifier classifierFromAsset(AssetManager assets, String name, Options options)
            throws BedsideException {
        Objects.requireNonNull(name, "name");
        return Classifier.fromBytes(bytes("asset " + name, MAX_MODEL_BYTES, () -> assets.open(name)), options);
    }

    /**
     * Reads a picture of another app, by a {@code content:} address that a picker, the camera or the share sheet gave.
     * It is decoded when it is classified, and brought upright by its EXIF orientation then.
     *
     * @throws BedsideException {@code IO} where the other app does not give it (any more); {@code TOO_LARGE} over
     *     256 MiB, or where memory is short
     */
    public static Image imageFromUri(ContentResolver resolver, Uri uri) throws BedsideException {
        // Only the authority is named: the rest may name a person.
        String what = "the picture of " + (uri.getAuthority() == null ? uri.getScheme() : uri.getAuthority());
        return Image.fromBytes(bytes(what, MAX_PICTURE_BYTES, () -> {
            InputStream stream = resolver.openInputStream(uri);
            if (stream == null) {
                throw new FileNotFoundException("the app that has it is gone");
            }
            return stream;
        }));
    }

    private interface Source {
        InputStream open() throws IOException;
    }

    /**
     * All bytes of a stream, with what other apps and Android throw turned into a {@link BedsideException}. Providers
     * throw more than they declare, and their messages may name the file and so a person: only the class of what they
     * threw is told.
     */
    private static byte[] bytes(String what, int limit, Source source) throws BedsideException {
        try (InputStream stream = source.open()) {
            return read(stream, what, limit);
        } catch (IOException | RuntimeException error) {
            String thrown = error.getClass().getSimpleName();
            throw new BedsideException(ErrorKind.IO, what + " can't be read (" + thrown + "); choose it again");
        } catch (OutOfMemoryError error) {
            throw new BedsideException(ErrorKind.TOO_LARGE, what + " does not fit this device's memory");
        }
    }

    private static byte[] read(InputStream stream, String what, int limit) throws IOException, BedsideException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(
                Math.max(CHUNK, Math.min(stream.available(), MAX_FIRST)));
        byte[] chunk = new byte[CHUNK];
        for (int count = stream.read(chunk); count >= 0; count = stream.read(chunk)) {
            if (bytes.size() > limit - count) {
                throw new BedsideException(ErrorKind.TOO_LARGE, what + " has more than " + limit + " bytes");
            }
            bytes.write(chunk, 0, count);
        }
        return bytes.toByteArray();
    }
}
