// Makes answers of what a person tapped and typed.

package dev.bedside.demo

import dev.bedside.Answer
import dev.bedside.Manifest
import dev.bedside.Query
import dev.bedside.ScopeQuestion
import dev.bedside.Triage

/** Whether the answer is a number, and not yes or no. */
val ScopeQuestion.isNumber: Boolean
    get() = min != null || max != null

/** The answer of a text; null where it is not an answer. A number may have a decimal point or a decimal comma. */
fun ScopeQuestion.answer(text: String?): Answer? = when {
    text == null -> null
    isNumber -> text.trim().replace(',', '.').takeIf(NUMBER::matches)?.let { Answer.Number(it.toDouble()) }
    text == Capture.YES -> Answer.Yes
    text == Capture.NO -> Answer.No
    else -> null
}

/** Whether the capture can't go on: a required question has no answer, or the text is not an answer. */
fun ScopeQuestion.isOpen(text: String?): Boolean = answer(text) == null && (required || text != null)

/** The first question for which [isOpen] is true. */
fun Manifest.openQuestion(answers: Map<String, String>): ScopeQuestion? = scope.find { it.isOpen(answers[it.id]) }

/** The triage of a picture that is not assessed: that of the most pressing danger sign in the answers, if any. */
fun Manifest.unassessedTriage(answers: Map<String, String>): Triage =
    scope.filter { it.answer(answers[it.id]) == Answer.Yes }.mapNotNull { it.level }.maxOrNull() ?: Triage.UNASSESSED

/** The query with the answers that were given. */
fun query(manifest: Manifest, answers: Map<String, String>, language: String): Query {
    val given = manifest.scope.mapNotNull { question ->
        question.answer(answers[question.id])?.let { question.id to it }
    }
    return Query(language = language, answers = given.toMap())
}

private val NUMBER = Regex("""-?\d{1,9}(\.\d{0,9})?""")
