// The screen of the model's danger signs, its scope questions and its intended use.

import BedsideDemoCore
import SwiftUI
import UIKit

struct QuestionsView: View {
    let page: QuestionsPage
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen(model.texts(.questionsTitle)) {
            if !page.signs.isEmpty { signs }
            if !page.questions.isEmpty { questions }
            if model.flow.isIncomplete {
                Text(model.texts(.questionsOpen)).font(.body.bold())
            }
            BigButton(
                title: model.texts(.questionsContinue), symbol: "arrow.forward", weight: .first, action: proceed)
            About(title: model.texts(.questionsMadeFor), text: page.madeFor)
            About(title: model.texts(.questionsNotFor), text: page.notFor)
        }
        .navigationTitle(model.texts(page.topic.title))
    }

    @ViewBuilder private var signs: some View {
        Heading(text: model.texts(.dangerTitle))
        ForEach(page.signs) { sign in
            SignRow(sign: sign)
        }
        Text(model.texts(page.topic.dangerSource)).font(.footnote)
    }

    @ViewBuilder private var questions: some View {
        Heading(text: model.texts(.questionsScope))
        ForEach(page.questions) { question in
            QuestionView(question: question)
        }
    }

    private func proceed() {
        model.flow.proceed()
        if model.flow.isIncomplete {
            UIAccessibility.post(notification: .announcement, argument: model.texts(.questionsOpen))
        }
    }
}

private struct About: View {
    let title: String
    let text: String

    var body: some View {
        if !text.isEmpty {
            Heading(text: title)
            Text(text)
        }
    }
}

/// A danger sign, which is tapped where it is there. The mark and the spoken trait say so, not the colour.
private struct SignRow: View {
    let sign: Question
    @EnvironmentObject private var model: AppModel

    var body: some View {
        let isThere = model.flow.drafts[sign.id] == .yes
        BigButton(
            title: sign.text, symbol: isThere ? "checkmark.square.fill" : "square", weight: isThere ? .first : .other
        ) {
            model.flow.tap(sign: sign.id)
        }
        .accessibilityAddTraits(isThere ? .isSelected : [])
    }
}

private struct QuestionView: View {
    let question: Question
    @EnvironmentObject private var model: AppModel

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text(question.text).font(.title3)
            switch question.kind {
            case .sign: SignRow(sign: question)
            case .yesOrNo: choices
            case .number(let hint): number(hint)
            case .age(let hint): age(hint)
            }
        }
    }

    /// The choices one below the other, so that large type has room.
    @ViewBuilder private var choices: some View {
        choice(.yes, model.texts(.questionsYes))
        choice(.no, model.texts(.questionsNo))
    }

    private func choice(_ draft: Draft, _ title: String) -> some View {
        let isChosen = model.flow.drafts[question.id] == draft
        return BigButton(title: title, symbol: isChosen ? "largecircle.fill.circle" : "circle") {
            model.flow.answer(question.id, draft)
        }
        .accessibilityAddTraits(isChosen ? .isSelected : [])
        .accessibilityHint(question.text)
    }

    @ViewBuilder
    private func number(_ hint: String) -> some View {
        Text(hint)
            .font(.callout)
            .accessibilityHidden(true)
        field($model[typed: question.id], keyboard: .decimalPad)
            .accessibilityLabel(question.text)
            .accessibilityHint(hint)
        problem(.questionsNotANumber)
    }

    @ViewBuilder
    private func age(_ hint: String) -> some View {
        Text(hint).font(.callout)
        part($model[years: question.id], .questionsYears)
        part($model[months: question.id], .questionsMonths)
        problem(.questionsNotAnAge)
    }

    @ViewBuilder
    private func part(_ text: Binding<String>, _ name: Key) -> some View {
        Text(model.texts(name))
            .accessibilityHidden(true)
        field(text, keyboard: .numberPad)
            .accessibilityLabel(model.texts(name))
            .accessibilityHint(question.text)
    }

    private func field(_ text: Binding<String>, keyboard: UIKeyboardType) -> some View {
        TextField("", text: text)
            .keyboardType(keyboard)
            .textFieldStyle(.roundedBorder)
            .font(.title3)
            .frame(minHeight: 56)
    }

    @ViewBuilder
    private func problem(_ sentence: Key) -> some View {
        if question.isNoNumber(model.flow.drafts[question.id]) {
            Text(model.texts(sentence)).font(.body.bold())
        }
    }
}
