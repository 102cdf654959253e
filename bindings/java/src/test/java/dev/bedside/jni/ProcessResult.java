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

/** The exit status of a process that ran in the root of the repository, and what it printed. */
record ProcessResult(int status, String stdout, String stderr) {
    static ProcessResult of(List<String> command) {
        try {
            Path errors = Files.createTempFile("bedside", ".txt");
            ProcessBuilder builder = new ProcessBuilder(command).directory(Repository.ROOT.toFile());
            // Cargo sets this variable, and then another library would be found than the one that a test names.
            builder.environment().remove("LD_LIBRARY_PATH");
            Process process = builder.redirectError(errors.toFile()).start();
            String stdout = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            String stderr = Files.readString(errors);
            Files.delete(errors);
            return new ProcessResult(status, stdout, stderr);
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Runs a class in a new virtual machine with this class path. */
    static ProcessResult ofJava(List<Path> classPath, String mainClass, String... options) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-Xcheck:jni", "-Dfile.encoding=UTF-8"));
        command.addAll(List.of(options));
        String paths = classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        command.addAll(List.of("-cp", paths, mainClass));
        return of(command);
    }

    /** The folder or jar that a class was loaded from. */
    static Path locationOf(Class<?> type) {
        try {
            return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException error) {
            throw new IllegalStateException(error);
        }
    }
}
