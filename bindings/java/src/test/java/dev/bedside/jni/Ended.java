package dev.bedside.jni;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** How a process ended that was started in the repository's root, and what it printed. */
record Ended(int status, String printed, String complaint) {
    static Ended of(List<String> command) {
        try {
            Path errors = Files.createTempFile("bedside", ".txt");
            ProcessBuilder builder = new ProcessBuilder(command).directory(Repository.ROOT.toFile());
            // Cargo, where it runs this, points here to a library that no test has named.
            builder.environment().remove("LD_LIBRARY_PATH");
            Process process = builder.redirectError(errors.toFile()).start();
            String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            String complaint = Files.readString(errors);
            Files.delete(errors);
            return new Ended(status, printed, complaint);
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    /** A virtual machine of its own, with nothing but this on its class path. */
    static Ended ofJava(List<Path> classPath, String mainClass, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xcheck:jni", "-Dfile.encoding=UTF-8"));
        command.addAll(List.of(options));
        String paths = classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        command.addAll(List.of("-cp", paths, mainClass));
        return of(command);
    }

    /** The folder or jar that a class was loaded from. */
    static Path home(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException error) {
            throw new IllegalStateException(error);
        }
    }
}
