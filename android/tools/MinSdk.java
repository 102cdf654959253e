import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.codehaus.mojo.animal_sniffer.ClassListBuilder;
import org.codehaus.mojo.animal_sniffer.SignatureChecker;
import org.codehaus.mojo.animal_sniffer.logging.Logger;
import org.codehaus.mojo.animal_sniffer.logging.PrintWriterLogger;

/** Fails where a jar uses classes or methods that the oldest Android lacks: SIGNATURE JAR [OTHER JAR]... */
public class MinSdk {
    public static void main(String[] arguments) throws Exception {
        Logger logger = new PrintWriterLogger(System.err);
        ClassListBuilder own = new ClassListBuilder(logger);
        for (int i = 1; i < arguments.length; i++) {
            own.process(new File(arguments[i]));
        }
        try (InputStream signature = new FileInputStream(arguments[0])) {
            Set<String> known = new HashSet<>(own.getPackages());
            // The code that UniFFI generates checks that there is a Cleaner before it uses one.
            known.addAll(List.of("java.lang.ref.Cleaner", "java.lang.ref.Cleaner$Cleanable"));
            SignatureChecker checker = new SignatureChecker(signature, known, logger);
            checker.setSourcePath(List.of());
            checker.process(new File(arguments[1]));
            if (checker.isSignatureBroken()) {
                System.exit(1);
            }
        }
    }
}
