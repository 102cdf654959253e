package dev.bedside.demo

import android.graphics.Rect
import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.view.ViewGroup
import android.widget.CheckBox
import android.widget.EditText
import android.widget.RadioButton
import android.widget.RadioGroup
import android.widget.TextView
import dev.bedside.Manifest
import dev.bedside.QuestionRole
import dev.bedside.ScopeQuestion

/** The screen of the model's questions, about danger signs and then about scope, and its intended use. */
class QuestionsScreen(activity: MainActivity) : Screen(activity, R.layout.questions) {
    private val fields = HashMap<String, View>()
    private var drawn = false

    /** The question that was left open when the button was pressed last. */
    private var unanswered: View? = null

    init {
        backArrow()
        onClick(R.id.next, ::next)
        // The message about an open question takes room from the questions, and may hide that question.
        find<View>(R.id.content).addOnLayoutChangeListener { _, _, top, _, bottom, _, oldTop, _, oldBottom ->
            if (bottom - top < oldBottom - oldTop) unanswered?.let(::reveal)
        }
    }

    override fun draw() {
        val manifest = session.manifest
        show(R.id.opening, manifest == null)
        show(R.id.content, manifest != null)
        show(R.id.footer, manifest != null)
        if (manifest != null && !drawn) {
            draw(manifest)
            drawn = true
        }
    }

    private fun draw(manifest: Manifest) {
        val (signs, questions) = manifest.scope.partition { it.role == QuestionRole.DANGER }
        val danger = find<ViewGroup>(R.id.signs)
        signs.forEach { danger.addView(sign(it, danger)) }
        show(R.id.danger, signs.isNotEmpty())
        session.capture.task?.let { text(R.id.danger_source, activity.getString(it.dangerSource)) }
        val list = find<ViewGroup>(R.id.questions)
        questions.forEach { list.addView(view(it, list)) }
        show(R.id.scope, signs.isNotEmpty() && questions.isNotEmpty())
        text(R.id.intended_use, manifest.intendedUse)
        show(R.id.made_for, manifest.intendedUse.isNotEmpty())
        text(R.id.not_for, manifest.notFor)
        show(R.id.not_for_title, manifest.notFor.isNotEmpty())
    }

    /** A row for a danger sign. A sign without a tap has no answer, because nobody said that it is not there. */
    private fun sign(question: ScopeQuestion, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.question_sign, list, false) as CheckBox
        view.text = question.question
        view.isChecked = session.capture.answers[question.id] == Capture.YES
        view.setOnCheckedChangeListener { _, checked -> answered(question.id, if (checked) Capture.YES else "") }
        fields[question.id] = view
        return view
    }

    private fun view(question: ScopeQuestion, list: ViewGroup): View = when {
        question.isAge -> age(question, list)
        question.isNumber -> number(question, list)
        else -> choice(question, list)
    }

    private fun choice(question: ScopeQuestion, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.question_choice, list, false)
        view.findViewById<TextView>(R.id.question).text = question.question
        val group = view.findViewById<RadioGroup>(R.id.answers)
        // Read aloud, each answer says what it answers: all questions of a screen have the same two.
        for (answer in listOf(R.id.yes, R.id.no).map { view.findViewById<RadioButton>(it) }) {
            answer.contentDescription = "${question.question} ${answer.text}"
        }
        when (session.capture.answers[question.id]) {
            Capture.YES -> group.check(R.id.yes)
            Capture.NO -> group.check(R.id.no)
        }
        group.setOnCheckedChangeListener { _, checked ->
            answered(question.id, if (checked == R.id.yes) Capture.YES else Capture.NO)
        }
        fields[question.id] = group
        return view
    }

    private fun number(question: ScopeQuestion, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.question_number, list, false)
        view.findViewById<TextView>(R.id.question).text = question.question
        view.findViewById<TextView>(R.id.hint).text = activity.resources.hint(question)
        fields[question.id] = field(view, R.id.number, R.id.question, question.id)
        return view
    }

    private fun age(question: ScopeQuestion, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.question_age, list, false)
        view.findViewById<TextView>(R.id.question).text = question.question
        view.findViewById<TextView>(R.id.hint).text = activity.resources.hint(question)
        fields[question.id] = field(view, R.id.years, R.id.years_label, question.id)
        field(view, R.id.months, R.id.months_label, question.monthsKey)
        return view
    }

    /** Fills a field with what was typed under a key of the answers, and keeps what is typed. */
    private fun field(view: View, id: Int, label: Int, key: String): EditText {
        val field = view.findViewById<EditText>(id)
        // Several questions may have this view, so its id is replaced. The saved capture restores the text.
        field.id = View.generateViewId()
        view.findViewById<TextView>(label).labelFor = field.id
        field.isSaveEnabled = false
        field.setText(session.capture.answers[key])
        field.addTextChangedListener(OnText { answered(key, it) })
        return field
    }

    private fun answered(key: String, answer: String) {
        unanswered = null
        session.answer(key, answer)
        text(R.id.message, null)
    }

    private fun next() {
        val manifest = session.manifest ?: return
        val open = manifest.openQuestion(session.capture.answers)
        if (open == null) session.questionsAnswered() else ask(open)
    }

    /** Shows what is missing and moves the focus to it. */
    private fun ask(asked: ScopeQuestion) {
        val what = when {
            !asked.isNumber || !asked.isTyped(session.capture.answers) -> R.string.questions_open
            asked.isAge -> R.string.questions_not_an_age
            else -> R.string.questions_not_a_number
        }
        text(R.id.message, activity.getString(what))
        val field = fields.getValue(asked.id)
        field.requestFocus()
        unanswered = (field.parent as View).also(::reveal)
    }

    private fun reveal(question: View) =
        question.requestRectangleOnScreen(Rect(0, 0, question.width, question.height), true)
}

/** Calls a function with each new text of a field. */
class OnText(private val act: (String) -> Unit) : TextWatcher {
    override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

    override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit

    override fun afterTextChanged(text: Editable) = act(text.toString())
}
