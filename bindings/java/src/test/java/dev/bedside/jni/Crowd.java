package dev.bedside.jni;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Eight threads. */
final class Crowd {
    static final int SIZE = 8;

    private Crowd() {}

    /** What a call gives on each thread, so many times each. Fails where one does. */
    static <T> List<T> of(int times, Callable<T> call) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(SIZE);
        try {
            List<T> given = new ArrayList<>();
            for (Future<List<T>> thread : threads.invokeAll(Collections.nCopies(SIZE, repeated(times, call)))) {
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
