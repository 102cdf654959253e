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

/** No argument may be null unless its description says so: each one, of each public method, is tried. */
class NullsTest {
    /** Those whose description says so. */
    private static final Set<String> MAY_BE_NULL =
            Set.of("Query.Builder.region 0", "Query.Builder.cancel 0", "Logger.set 0");

    /** Something sound of each type, to be called or given. */
    private final Map<Class<?>, Object> sound = new HashMap<>();

    NullsTest() throws BedsideException {
        List<Object> things = List.of("en", new byte[8], ByteBuffer.allocateDirect(8), 1, 1L, 1f, 1.0, true,
                Tiny.open(), Tiny.picture(), new CancelHandle(), FrameFormat.gray8(1, 1, 1), Rotation.UPRIGHT,
                new YuvStrides(1, 1, 1, 1, 1, 1), YuvMatrix.BT601, YuvRange.FULL, new Region(0, 0, 1, 1), Answer.YES,
                Options.DEFAULT, Options.builder(), Limits.builder().build(), Limits.builder(), Query.DEFAULT,
                Query.builder(), (Logger) (level, target, message) -> {}, LogLevel.ERROR);
        things.forEach(thing -> sound.put(thing.getClass(), thing));
        sound.put(List.class, List.of("a"));
        sound.put(Map.class, Map.of("a", 1f));
    }

    @Test
    void null_for_any_argument_is_a_null_pointer_exception_and_not_a_crash() throws Exception {
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
    void null_inside_of_a_list_or_map_is_a_null_pointer_exception() {
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

    private Throwable thrownWithNull(Executable call, int place) throws ReflectiveOperationException {
        Object[] arguments = Arrays.stream(call.getParameterTypes()).map(this::soundOf).toArray();
        arguments[place] = null;
        try {
            if (call instanceof Method method) {
                boolean isStatic = Modifier.isStatic(method.getModifiers());
                method.invoke(isStatic ? null : soundOf(call.getDeclaringClass()), arguments);
            } else {
                ((Constructor<?>) call).newInstance(arguments);
            }
            return null;
        } catch (InvocationTargetException thrown) {
            return thrown.getCause();
        }
    }

    private Object soundOf(Class<?> type) {
        Object exact = sound.get(type);
        Stream<Object> fitting = sound.values().stream().filter(thing -> isOf(type, thing));
        return exact != null ? exact : fitting.findFirst().orElseThrow(() -> new AssertionError("nothing of " + type));
    }

    private static boolean isOf(Class<?> type, Object thing) {
        return type.isInstance(thing)
                || type.isPrimitive() && MethodType.methodType(type).wrap().returnType().isInstance(thing);
    }

    /** The public classes of the package, nested ones too. */
    private static List<Class<?>> publicTypes() throws IOException, ClassNotFoundException {
        List<Class<?>> types = new ArrayList<>();
        try (Stream<Path> files = Files.list(Ended.home(Classifier.class).resolve("dev/bedside/jni"))) {
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

    /** What an app can call: abstract methods it writes itself. */
    private static List<Executable> calls(Class<?> type) {
        Stream<Executable> constructors = Arrays.stream(type.getConstructors());
        return Stream.concat(Arrays.stream(type.getDeclaredMethods()), constructors)
                .filter(call -> Modifier.isPublic(call.getModifiers()) && !Modifier.isAbstract(call.getModifiers()))
                .filter(call -> !call.isSynthetic())
                .toList();
    }
}
