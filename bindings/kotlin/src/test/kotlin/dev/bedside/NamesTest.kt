// Kotlin has the names and defaults of bindings/names.json, as every language has.

package dev.bedside

import kotlin.reflect.KClass
import kotlin.reflect.full.primaryConstructor
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive

class NamesTest {
    private val shared = json(Repository.file("bindings/names.json").readText())
    private val names = (shared - "defaults").mapValues { (_, list) -> list.strings.toSet() }
    private val defaults = shared.getValue("defaults").jsonObject

    private val kotlinNames = mapOf(
        "error_kinds" to ErrorKind.entries.map { it.name.lowercase() },
        "verdict_kinds" to Verdict::class.sealedSubclasses.map { it.simpleName!!.snakeCase },
        "warning_kinds" to WarningKind.entries.map { it.name.lowercase() },
        "reason_kinds" to ReasonKind.entries.map { it.name.lowercase() },
        "triage" to Triage.entries.map { it.name.lowercase() },
        "decided_by" to DecidedBy.entries.map { it.name.lowercase() },
        "question_roles" to QuestionRole.entries.map { it.name.lowercase() },
        "sources" to Source.entries.map { it.name.lowercase() },
        "explain_methods" to ExplainMethod.entries.map { it.name.lowercase() },
        "options" to fields(Options::class),
        "limits" to fields(Limits::class),
        "query" to fields(Query::class),
    ).mapValues { (_, list) -> list.toSet() }

    @Test
    fun names_equal_those_of_every_language() {
        assertEquals(names, kotlinNames)
    }

    @Test
    fun options_have_the_defaults_of_every_language() {
        val options = Options()
        val limits = mapOf(
            "max_declared_pixels" to JsonPrimitive(options.limits.maxDeclaredPixels.toLong()),
            "max_decoded_bytes" to JsonPrimitive(options.limits.maxDecodedBytes.toLong()),
            "max_model_bytes" to JsonPrimitive(options.limits.maxModelBytes.toLong()),
        )
        val found = mapOf("threads" to JsonPrimitive(options.threads.toLong()), "limits" to JsonObject(limits))
        assertEquals(defaults["options"], JsonObject(found))
        assertEquals(options.limits, Limits())
    }

    @Test
    fun query_has_the_defaults_of_every_language() {
        val query = Query()
        val found = mapOf(
            "max_results" to JsonPrimitive(query.maxResults?.toLong()),
            "score_threshold" to JsonPrimitive(query.scoreThreshold),
            "allow" to JsonArray(query.allow.map { JsonPrimitive(it) }),
            "deny" to JsonArray(query.deny.map { JsonPrimitive(it) }),
            "language" to JsonPrimitive(query.language),
            "region" to JsonPrimitive(query.region?.toString()),
            "prevalence" to JsonObject(query.prevalence.mapValues { JsonPrimitive(it.value) }),
            "answers" to JsonObject(query.answers.mapValues { JsonPrimitive("${it.value}") }),
            "source" to JsonPrimitive(query.source?.name),
            "refusals" to JsonPrimitive(query.refusals.toLong()),
            "explain" to JsonPrimitive(query.explain?.toString()),
            "cancel" to JsonPrimitive(query.cancel?.toString()),
        )
        assertEquals(defaults["query"], JsonObject(found))
    }

    @Test
    fun frame_format_has_the_defaults_of_every_language() {
        val format = FrameFormat(FrameLayout.Encoded)
        val rotation = JsonPrimitive(format.rotation.name.lowercase())
        val found = mapOf("rotation" to rotation, "mirrored" to JsonPrimitive(format.mirrored))
        assertEquals(defaults["frame_format"], JsonObject(found))
        assertEquals(format.mirrored, FrameFormat(FrameLayout.Encoded, Rotation.UPRIGHT).mirrored)
    }

    private fun fields(type: KClass<*>) = type.primaryConstructor!!.parameters.map { it.name!!.snakeCase }

    private val JsonElement.strings get() = jsonArray.map { it.jsonPrimitive.content }
}

/** `maxResults` as `max_results`. */
internal val String.snakeCase: String
    get() = replace(Regex("(?<=[a-z0-9])[A-Z]")) { "_${it.value}" }.lowercase()
