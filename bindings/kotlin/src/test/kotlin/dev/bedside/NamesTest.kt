// Kotlin has the names that every language has: bindings/names.json, which Rust is held to as well.

package dev.bedside

import kotlin.reflect.KClass
import kotlin.reflect.full.primaryConstructor
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive

class NamesTest {
    private val names = json(Repository.file("bindings/names.json").readText())
        .mapValues { (_, list) -> list.jsonArray.map { it.jsonPrimitive.content }.toSet() }

    private val kotlins = mapOf(
        "error_kinds" to ErrorKind.entries.map { it.name.lowercase() },
        "verdict_kinds" to Verdict::class.sealedSubclasses.map { it.simpleName!!.snakeCase },
        "reason_kinds" to ReasonKind.entries.map { it.name.lowercase() },
        "triage" to Triage.entries.map { it.name.lowercase() },
        "options" to fields(Options::class),
        "limits" to fields(Limits::class),
        "query" to fields(Query::class),
    ).mapValues { (_, list) -> list.toSet() }

    @Test
    fun kotlin_has_the_names_that_every_language_has() {
        assertEquals(names, kotlins)
    }

    private fun fields(type: KClass<*>) = type.primaryConstructor!!.parameters.map { it.name!!.snakeCase }
}

/** `maxResults` as `max_results`. */
internal val String.snakeCase: String
    get() = replace(Regex("(?<=[a-z0-9])[A-Z]")) { "_${it.value}" }.lowercase()
