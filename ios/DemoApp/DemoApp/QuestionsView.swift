// The screen of the model's scope questions and its intended use.

import BedsideDemoCore
import SwiftUI
import UIKit

struct QuestionsView: View {
    let page: QuestionsPage
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen(model.texts(.questionsTitle)) {
            ForEach(page.questions) { question in
                QuestionView(question: question)
            }
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

private struct QuestionView: View {
    let question: Question
    @EnvironmentObject private var model: AppModel

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            Text(question.text).font(.title3)
            switch question.kind {
            case .yesOrNo: choices
            case .number(let hint): number(hint)
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
        TextField("", text: $model[typed: question.id])
            .keyboardType(.decimalPad)
            .textFieldStyle(.roundedBorder)
            .font(.title3)
            .frame(minHeight: 56)
            .accessibilityLabel(question.text)
            .accessibilityHint(hint)
        if question.isNoNumber(model.flow.drafts[question.id]) {
            Text(model.texts(.questionsNotANumber)).font(.body.bold())
        }
    }
}
