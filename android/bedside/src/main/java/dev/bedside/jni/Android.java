package dev.bedside.jni;

import android.content.ContentResolver;
import android.content.res.AssetManager;
import android.net.Uri;
import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;

/** Opens models from an app's assets and pictures from content providers. Do not call it on the main thread. */
public final class Android {
    private static final int MAX_MODEL_BYTES = 512 << 20;
    private static final int MAX_PICTURE_BYTES = 256 << 20;
    private static final int CHUNK = 64 * 1024;
    /** The maximum first allocation, in bytes, because the size that a stream declares may be wrong. */
    private static final int MAX_FIRST = 16 << 20;

    private Android() {}

    /** Does the same as {@link #classifierFromAsset(AssetManager, String, Options)} with the default options. */
    public static Classifier classifierFromAsset(AssetManager assets, String name) throws BedsideException {
        return classifierFromAsset(assets, name, Options.DEFAULT);
    }

    /**
     * Opens a model that is an asset of the app: an ONNX file or a prepared one with its manifest inside.
     *
     * @param name the asset's path, such as {@code skin-lesion/model.onnx}
     * @throws BedsideException with {@code IO} where there is no such asset; with {@code TOO_LARGE} where it does not
     *     fit the memory or has more than 512 MiB; else as {@link Classifier#fromBytes(byte[], Options)} does
     */
    public static Classifier classifierFromAsset(AssetManager assets, String name, Options options)
            throws BedsideException {
        Objects.requireNonNull(name, "name");
        return Classifier.fromBytes(bytes("asset " + name, MAX_MODEL_BYTES, () -> assets.open(name)), options);
    }

    /**
     * Reads a picture of another app by a {@code content:} address, which a picker, the camera or the share sheet
     * gives. The picture is decoded when it is classified, and rotated upright by its EXIF orientation.
     *
     * @throws BedsideException with {@code IO} where the other app does not give the picture; with {@code TOO_LARGE}
     *     where it has more than 256 MiB or does not fit the memory
     */
    public static Image imageFromUri(ContentResolver resolver, Uri uri) throws BedsideException {
        // The message has the authority only, because the rest of the address may name a person.
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
     * All bytes of a stream. Exceptions of other apps and of Android become a {@link BedsideException}. Providers throw
     * undeclared exceptions, and their messages may name the file and so a person, so the new message has only the
     * class of the exception.
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
