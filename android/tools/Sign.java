import com.android.apksig.ApkSigner;
import com.android.apksig.ApkVerifier;
import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.List;

/** Signs an APK and aligns its native libraries to pages of 16 KiB: KEYSTORE PASSWORD ALIAS UNSIGNED SIGNED. */
public class Sign {
    private static final int MIN_API = 24;
    private static final int PAGE = 16384;

    public static void main(String[] arguments) throws Exception {
        ApkSigner.SignerConfig signer = signer(arguments[0], arguments[1].toCharArray(), arguments[2]);
        File signed = new File(arguments[4]);
        new ApkSigner.Builder(List.of(signer))
                .setInputApk(new File(arguments[3]))
                .setOutputApk(signed)
                .setMinSdkVersion(MIN_API)
                .setV1SigningEnabled(false)
                .setV2SigningEnabled(true)
                .setV3SigningEnabled(true)
                .setLibraryPageAlignmentBytes(PAGE)
                .build()
                .sign();
        ApkVerifier.Result found =
                new ApkVerifier.Builder(signed).setMinCheckedPlatformVersion(MIN_API).build().verify();
        if (!found.isVerified()) {
            throw new IllegalStateException(signed + " does not verify: " + found.getErrors());
        }
    }

    private static ApkSigner.SignerConfig signer(String keyStore, char[] password, String alias) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream input = new FileInputStream(keyStore)) {
            keys.load(input, password);
        }
        PrivateKey key = (PrivateKey) keys.getKey(alias, password);
        List<X509Certificate> certificates = List.of((X509Certificate) keys.getCertificate(alias));
        return new ApkSigner.SignerConfig.Builder("bedside", key, certificates).build();
    }
}
