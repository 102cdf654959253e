package dev.bedside.demo

import android.graphics.Rect
import android.text.Editable
import android.text.TextWatcher
import android.view.View
import android.view.ViewGroup
import android.widget.EditText
import android.widget.RadioGroup
import android.widget.TextView
import dev.bedside.Manifest
import dev.bedside.ScopeQuestion

/** The screen of the model's questions, about scope and danger signs, and its intended use. */
class QuestionsScreen(activity: MainActivity) : Screen(activity, R.layout.questions) {
    private val fields = HashMap<String, View>()
    private var drawn = false

    init {
        backArrow()
        onClick(R.id.next, ::next)
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
        val list = find<ViewGroup>(R.id.questions)
        manifest.scope.forEach { list.addView(view(it, list)) }
        text(R.id.intended_use, manifest.intendedUse)
        show(R.id.made_for, manifest.intendedUse.isNotEmpty())
        text(R.id.not_for, manifest.notFor)
        show(R.id.not_for_title, manifest.notFor.isNotEmpty())
    }

    private fun view(question: ScopeQuestion, list: ViewGroup): View =
        if (question.isNumber) numberField(question, list) else choice(question, list)

    private fun choice(question: ScopeQuestion, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.question_choice, list, false)
        view.findViewById<TextView>(R.id.question).text = question.question
        val group = view.findViewById<RadioGroup>(R.id.answers)
        when (session.capture.answers[question.id]) {
            Capture.YES -> group.check(R.id.yes)
            Capture.NO -> group.check(R.id.no)
        }
        group.setOnCheckedChangeListener { _, checked ->
            answered(question, if (checked == R.id.yes) Capture.YES else Capture.NO)
        }
        fields[question.id] = group
        return view
    }

    private fun numberField(question: ScopeQuestion, list: ViewGroup): View {
        val view = activity.layoutInflater.inflate(R.layout.question_number, list, false)
        view.findViewById<TextView>(R.id.question).text = question.question
        view.findViewById<TextView>(R.id.hint).text = activity.resources.hint(question)
        val field = view.findViewById<EditText>(R.id.number)
        // Several questions may have this view, so its id is replaced. The saved capture restores the text.
        field.id = View.generateViewId()
        view.findViewById<TextView>(R.id.question).labelFor = field.id
        field.isSaveEnabled = false
        field.setText(session.capture.answers[question.id])
        field.addTextChangedListener(OnText { answered(question, it) })
        fields[question.id] = field
        return view
    }

    private fun answered(question: ScopeQuestion, answer: String) {
        session.answer(question.id, answer)
        text(R.id.message, null)
    }

    private fun next() {
        val manifest = session.manifest ?: return
        val open = manifest.openQuestion(session.capture.answers)
        if (open == null) session.questionsAnswered() else ask(open)
    }

    /** Shows what is missing and moves the focus to it. */
    private fun ask(asked: ScopeQuestion) {
        val typed = asked.isNumber && session.capture.answers[asked.id] != null
        val what = if (typed) R.string.questions_not_a_number else R.string.questions_open
        text(R.id.message, activity.getString(what))
        val field = fields.getValue(asked.id)
        field.requestFocus()
        val question = field.parent as View
        question.requestRectangleOnScreen(Rect(0, 0, question.width, question.height))
    }
}

private class OnText(private val act: (String) -> Unit) : TextWatcher {
    override fun beforeTextChanged(text: CharSequence?, start: Int, count: Int, after: Int) = Unit

    override fun onTextChanged(text: CharSequence?, start: Int, before: Int, count: Int) = Unit

    override fun afterTextChanged(text: Editable) = act(text.toString())
}
