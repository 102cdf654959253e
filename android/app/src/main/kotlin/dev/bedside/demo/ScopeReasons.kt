package dev.bedside.demo

import dev.bedside.Answer
import dev.bedside.Classifier
import dev.bedside.Query
import dev.bedside.Reason
import dev.bedside.ReasonKind
import dev.bedside.ScopeQuestion

/** The reasons for which the answers reject whatever the picture shows; none where they don't. */
fun Classifier.scopeReasons(query: Query): List<Reason> =
    manifest(query.language).scope.mapNotNull { question ->
        rejected(question, query.answers[question.id])?.let { Reason(it, question.id, question.question, "") }
    }

private fun rejected(question: ScopeQuestion, answer: Answer?): ReasonKind? = when (answer) {
    null -> ReasonKind.SCOPE_UNANSWERED.takeIf { question.required }
    is Answer.Yes -> null
    is Answer.No -> ReasonKind.SCOPE_NO
    is Answer.Number -> {
        val least = question.min ?: Double.NEGATIVE_INFINITY
        val greatest = question.max ?: Double.POSITIVE_INFINITY
        ReasonKind.SCOPE_OUT_OF_RANGE.takeIf { answer.value !in least..greatest }
    }
}
