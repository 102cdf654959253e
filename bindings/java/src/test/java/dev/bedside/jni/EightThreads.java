package dev.bedside.jni;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Makes calls on eight threads at once. */
final class EightThreads {
    static final int COUNT = 8;

    private EightThreads() {}

    /** The results of a call that is made this many times on each thread. Fails where one of them fails. */
    static <T> List<T> repeat(int times, Callable<T> call) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(COUNT);
        try {
            List<T> given = new ArrayList<>();
            for (Future<List<T>> thread : threads.invokeAll(Collections.nCopies(COUNT, repeated(times, call)))) {
                given.addAll(thread.get());
            }
            return given;
        } finally {
            threads.shutdown();
        }
    }

    private static <T> Callable<List<T>> repeated(int times, Callable<T> call) {
        return () -> {
            List<T> given = new ArrayList<>();
            for (int time = 0; time < times; time++) {
                given.add(call.call());
            }
            return given;
        };
    }
}
