package dev.bedside.jni;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Java has the names that every language has: {@code bindings/names.json}, which Rust is held to as well. */
class NamesTest {
    @Test
    void java_has_the_names_that_every_language_has() {
        Map<String, Set<String>> java = Map.of(
                "error_kinds", constants(ErrorKind.values()),
                "verdict_kinds", constants(Verdict.Kind.values()),
                "reason_kinds", constants(ReasonKind.values()),
                "triage", constants(Triage.values()),
                "options", setters(Options.Builder.class),
                "limits", setters(Limits.Builder.class),
                "query", setters(Query.Builder.class));
        assertEquals(shared(), new TreeMap<>(java));
    }

    private static Map<String, Set<String>> shared() {
        String file = new String(Repository.bytes("bindings/names.json"), StandardCharsets.UTF_8);
        Map<String, Set<String>> shared = new TreeMap<>();
        Repository.json(file).entrySet().forEach(list -> shared.put(list.getKey(), strings(list.getValue())));
        return shared;
    }

    private static Set<String> strings(JsonElement array) {
        return StreamSupport.stream(array.getAsJsonArray().spliterator(), false)
                .map(JsonElement::getAsString)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> constants(Enum<?>[] constants) {
        return sorted(Arrays.stream(constants).map(constant -> constant.name().toLowerCase(Locale.ROOT)));
    }

    private static Set<String> setters(Class<?> builder) {
        return sorted(Arrays.stream(builder.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()) && method.getReturnType() == builder)
                .map(NamesTest::optionOf)
                .map(name -> name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT)));
    }

    /** A setter has the option's name; one that adds an entry, by key and value, has it in the singular. */
    private static String optionOf(Method setter) {
        return setter.getParameterCount() == 2 ? setter.getName() + "s" : setter.getName();
    }

    private static Set<String> sorted(Stream<String> names) {
        return names.collect(Collectors.toCollection(TreeSet::new));
    }
}
