// From what was tapped and typed to what the core takes.

package dev.bedside.demo

import dev.bedside.Answer
import dev.bedside.Manifest
import dev.bedside.Query
import dev.bedside.ScopeQuestion

/** Whether the question takes a number, and not yes or no. */
val ScopeQuestion.isNumber: Boolean
    get() = min != null || max != null

/** The answer that a text stands for; null where it stands for none. A comma is a decimal point too. */
fun ScopeQuestion.answer(text: String?): Answer? = when {
    text == null -> null
    isNumber -> text.trim().replace(',', '.').takeIf(NUMBER::matches)?.let { Answer.Number(it.toDouble()) }
    text == Capture.YES -> Answer.Yes
    text == Capture.NO -> Answer.No
    else -> null
}

/** Whether this question keeps the capture from going on: a required one without an answer, or a text that is none. */
fun ScopeQuestion.isOpen(text: String?): Boolean = answer(text) == null && (required || text != null)

/** The first question that keeps the capture from going on. */
fun Manifest.openQuestion(answers: Map<String, String>): ScopeQuestion? = scope.find { it.isOpen(answers[it.id]) }

/** What the core is asked, with the answers that there are. */
fun query(manifest: Manifest, answers: Map<String, String>, language: String): Query {
    val given = manifest.scope.mapNotNull { question ->
        question.answer(answers[question.id])?.let { question.id to it }
    }
    return Query(language = language, answers = given.toMap())
}

private val NUMBER = Regex("""-?\d{1,9}(\.\d{0,9})?""")
