package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** No argument may be null unless its description says so. Each argument of each public method is tried. */
class NullsTest {
    /** The arguments whose description says so. */
    private static final Set<String> MAY_BE_NULL =
            Set.of("Query.Builder.region 0", "Query.Builder.source 0", "Query.Builder.explain 0",
                    "Query.Builder.cancel 0", "Logger.set 0");

    /** A valid value of each type, to be a receiver or an argument. */
    private final Map<Class<?>, Object> validValues = new HashMap<>();

    NullsTest() throws BedsideException {
        List<Object> values = List.of("en", new byte[8], ByteBuffer.allocateDirect(8), 1, 1L, 1f, 1.0, true,
                TinyModel.open(), TinyModel.open().manifest(), TinyModel.picture(), new CancelHandle(), Triage.URGENT,
                Source.CAMERA, ExplainMethod.OCCLUSION, Explain.by(ExplainMethod.OCCLUSION), QueryTest.heatmap(),
                FrameFormat.gray8(1, 1, 1), Rotation.UPRIGHT, new YuvStrides(1, 1, 1, 1, 1, 1), YuvMatrix.BT601,
                YuvRange.FULL, new Region(0, 0, 1, 1), Answer.YES, Options.DEFAULT, Options.builder(),
                Limits.builder().build(), Limits.builder(), Query.DEFAULT, Query.builder(),
                (Logger) (level, target, message) -> {}, LogLevel.ERROR);
        values.forEach(value -> validValues.put(value.getClass(), value));
        validValues.put(List.class, List.of("a"));
        validValues.put(Map.class, Map.of("a", 1f));
    }

    @Test
    void null_argument_is_a_null_pointer_exception() throws Exception {
        List<String> tried = new ArrayList<>();
        for (Class<?> type : publicTypes()) {
            for (Executable call : calls(type)) {
                for (int i = 0; i < call.getParameterCount(); i++) {
                    if (!call.getParameterTypes()[i].isPrimitive()) {
                        String name = (type.getName() + "." + call.getName() + " " + i)
                                .replace(type.getPackageName() + ".", "").replace('$', '.');
                        tried.add(name);
                        Throwable thrown = thrownWithNull(call, i);
                        Class<?> wanted = MAY_BE_NULL.contains(name) ? null : NullPointerException.class;
                        assertEquals(wanted, thrown == null ? null : thrown.getClass(), name);
                    }
                }
            }
        }
        assertTrue(tried.containsAll(MAY_BE_NULL) && tried.size() > 40, tried.toString());
    }

    /** Lists and maps with a null inside. */
    @Test
    void null_in_a_list_or_map_is_a_null_pointer_exception() {
        Map<String, Float> shares = new HashMap<>();
        shares.put("a", null);
        List<Query.Builder> queries = List.of(
                Query.builder().allow(Arrays.asList("a", null)),
                Query.builder().deny(Arrays.asList("a", null)),
                Query.builder().prevalence(shares));
        for (Query.Builder query : queries) {
            assertThrows(NullPointerException.class, query::build);
        }
    }

    private Throwable thrownWithNull(Executable call, int index) throws ReflectiveOperationException {
        Object[] arguments = Arrays.stream(call.getParameterTypes()).map(this::validValueOf).toArray();
        arguments[index] = null;
        try {
            if (call instanceof Method method) {
                boolean isStatic = Modifier.isStatic(method.getModifiers());
                method.invoke(isStatic ? null : validValueOf(call.getDeclaringClass()), arguments);
            } else {
                ((Constructor<?>) call).newInstance(arguments);
            }
            return null;
        } catch (InvocationTargetException thrown) {
            return thrown.getCause();
        }
    }

    private Object validValueOf(Class<?> type) {
        Object exact = validValues.get(type);
        Stream<Object> fitting = validValues.values().stream().filter(value -> isOf(type, value));
        return exact != null ? exact : fitting.findFirst().orElseThrow(() -> new AssertionError("no value of " + type));
    }

    private static boolean isOf(Class<?> type, Object value) {
        return type.isInstance(value)
                || type.isPrimitive() && MethodType.methodType(type).wrap().returnType().isInstance(value);
    }

    /** The public classes of the package, nested ones too. */
    private static List<Class<?>> publicTypes() throws IOException, ClassNotFoundException {
        List<Class<?>> types = new ArrayList<>();
        try (Stream<Path> files = Files.list(ProcessResult.locationOf(Classifier.class).resolve("dev/bedside/jni"))) {
            for (Path file : files.sorted().toList()) {
                String name = "dev.bedside.jni." + file.getFileName().toString().replace(".class", "");
                Class<?> type = Class.forName(name, false, NullsTest.class.getClassLoader());
                if (Modifier.isPublic(type.getModifiers())) {
                    types.add(type);
                }
            }
        }
        return types;
    }

    /** The methods and constructors that an app can call. It implements abstract methods itself. */
    private static List<Executable> calls(Class<?> type) {
        Stream<Executable> constructors = Arrays.stream(type.getConstructors());
        return Stream.concat(Arrays.stream(type.getDeclaredMethods()), constructors)
                .filter(call -> Modifier.isPublic(call.getModifiers()) && !Modifier.isAbstract(call.getModifiers()))
                .filter(call -> !call.isSynthetic())
                .toList();
    }
}
