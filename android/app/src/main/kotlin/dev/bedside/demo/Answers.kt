// Makes answers of what a person tapped and typed.

package dev.bedside.demo

import dev.bedside.Answer
import dev.bedside.Manifest
import dev.bedside.Query
import dev.bedside.QuestionRole
import dev.bedside.ScopeQuestion
import dev.bedside.Triage

/** Whether the answer is a number, and not yes or no. */
val ScopeQuestion.isNumber: Boolean
    get() = min != null || max != null

/** Whether the answer is an age, typed as years under the question's id and as months under [monthsKey]. */
val ScopeQuestion.isAge: Boolean
    get() = isNumber && id == "age"

/** The key of the months of an age among the answers. No question has it, because ids have no dots. */
val ScopeQuestion.monthsKey: String
    get() = "$id.months"

/** The answer to this question; null where there is none, or a text is not a number. */
fun ScopeQuestion.answer(answers: Map<String, String>): Answer? {
    val text = answers[id]
    return when {
        isAge -> age(text, answers[monthsKey])
        text == null -> null
        isNumber -> number(text)?.let { Answer.Number(it) }
        text == Capture.YES -> Answer.Yes
        text == Capture.NO -> Answer.No
        else -> null
    }
}

/** Whether the capture can't go on: a required question has no answer, or a text is not an answer. */
fun ScopeQuestion.isOpen(answers: Map<String, String>): Boolean =
    answer(answers) == null && (required || isTyped(answers))

/** Whether anything is in the question's fields. */
fun ScopeQuestion.isTyped(answers: Map<String, String>): Boolean = id in answers || (isAge && monthsKey in answers)

/** The first question for which [isOpen] is true. */
fun Manifest.openQuestion(answers: Map<String, String>): ScopeQuestion? = scope.find { it.isOpen(answers) }

/** The questions about danger signs that were answered with yes. */
fun Manifest.dangerSigns(answers: Map<String, String>): List<ScopeQuestion> =
    scope.filter { it.role == QuestionRole.DANGER && it.answer(answers) == Answer.Yes }

/** The triage of a picture that is not assessed: that of the most pressing danger sign in the answers, if any. */
fun Manifest.unassessedTriage(answers: Map<String, String>): Triage =
    dangerSigns(answers).mapNotNull { it.level }.maxOrNull() ?: Triage.UNASSESSED

/** The query with the answers that were given. */
fun query(manifest: Manifest, answers: Map<String, String>, language: String): Query {
    val given = manifest.scope.mapNotNull { question -> question.answer(answers)?.let { question.id to it } }
    return Query(language = language, answers = given.toMap())
}

/** The number of a text, which may have a decimal point or a decimal comma; null where it is none. */
fun number(text: String): Double? = text.trim().replace(',', '.').takeIf(NUMBER::matches)?.toDouble()

/** An age in years. One of both fields may be empty. */
private fun age(years: String?, months: String?): Answer? {
    if (years.isNullOrBlank() && months.isNullOrBlank()) return null
    val whole = whole(years) ?: return null
    val rest = whole(months)?.takeIf { it < MONTHS } ?: return null
    return Answer.Number(whole + rest / MONTHS.toDouble())
}

/** The whole number of a field; 0 where it is empty. */
fun whole(text: String?): Int? = if (text.isNullOrBlank()) 0 else text.trim().takeIf(WHOLE::matches)?.toInt()

private const val MONTHS = 12
private val NUMBER = Regex("""-?\d{1,9}(\.\d{0,9})?""")
private val WHOLE = Regex("""\d{1,3}""")
