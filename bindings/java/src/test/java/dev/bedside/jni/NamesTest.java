package dev.bedside.jni;

import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.lang.reflect.Field;
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

/**
 * Java has the names and defaults of {@code bindings/names.json}, as every language has.
 */
class NamesTest {
    @Test
    void names_equal_those_of_every_language() {
        Map<String, Set<String>> java = Map.ofEntries(
                entry("error_kinds", constants(ErrorKind.values())),
                entry("verdict_kinds", constants(Verdict.Kind.values())),
                entry("reason_kinds", constants(ReasonKind.values())),
                entry("warning_kinds", constants(WarningKind.values())),
                entry("triage", constants(Triage.values())),
                entry("decided_by", constants(DecidedBy.values())),
                entry("question_roles", constants(QuestionRole.values())),
                entry("sources", constants(Source.values())),
                entry("explain_methods", constants(ExplainMethod.values())),
                entry("options", setters(Options.Builder.class)),
                entry("limits", setters(Limits.Builder.class)),
                entry("query", setters(Query.Builder.class)));
        JsonObject names = shared();
        names.remove("defaults");
        Map<String, Set<String>> wanted = new TreeMap<>();
        names.entrySet().forEach(list -> wanted.put(list.getKey(), strings(list.getValue())));
        assertEquals(wanted, new TreeMap<>(java));
    }

    @Test
    void defaults_equal_those_of_every_language() throws IllegalAccessException {
        JsonObject defaults = shared().getAsJsonObject("defaults");
        assertEquals(defaults.get("options"), values(Options.DEFAULT));
        assertEquals(defaults.get("query"), values(Query.builder()));
        JsonObject format = values(FrameFormat.encoded());
        format.remove("layout");
        assertEquals(defaults.get("frame_format"), format);
    }

    private static JsonObject shared() {
        return Repository.json(new String(Repository.bytes("bindings/names.json"), StandardCharsets.UTF_8));
    }

    /** The fields of an object, by the names that all languages share. */
    private static JsonObject values(Object holder) throws IllegalAccessException {
        JsonObject values = new JsonObject();
        for (Field field : holder.getClass().getDeclaredFields()) {
            if (!Modifier.isStatic(field.getModifiers())) {
                field.setAccessible(true);
                values.add(snakeCase(field.getName()), json(field.get(holder)));
            }
        }
        return values;
    }

    private static JsonElement json(Object value) throws IllegalAccessException {
        if (value instanceof Enum<?> constant) {
            return new JsonPrimitive(constant.name().toLowerCase(Locale.ROOT));
        }
        return value instanceof Limits ? values(value) : new Gson().toJsonTree(value);
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
                .map(NamesTest::snakeCase));
    }

    /** {@code maxResults} as {@code max_results}. */
    private static String snakeCase(String name) {
        return name.replaceAll("(?<=[a-z0-9])(?=[A-Z])", "_").toLowerCase(Locale.ROOT);
    }

    /**
     * The option that a setter sets. A setter that adds one entry, by key and value, has the option's name in the
     * singular.
     */
    private static String optionOf(Method setter) {
        return setter.getParameterCount() == 2 ? setter.getName() + "s" : setter.getName();
    }

    private static Set<String> sorted(Stream<String> names) {
        return names.collect(Collectors.toCollection(TreeSet::new));
    }
}
