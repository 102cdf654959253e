// The page for clinicians: probabilities, the shares that they assume, measures, and what decided the triage.

import BedsideDemoCore
import SwiftUI
import UIKit

struct CliniciansView: View {
    let page: CliniciansPage
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen(model.texts(.cliniciansTitle)) {
            Text(model.texts(.cliniciansTriage)).font(.title3)
            Heading(text: model.texts(.cliniciansDecided))
            Text(page.decidedBy)
            findings
            if !page.shares.isEmpty { shares }
            if page.isAdaptable { local }
            measures
            identity
            Notice()
        }
        .navigationTitle(model.texts(page.topic.title))
    }

    @ViewBuilder private var findings: some View {
        Heading(text: model.texts(.cliniciansFindings))
        if page.rows.isEmpty { Text(model.texts(.cliniciansNone)) }
        if model.flow.localRows != nil { Text(model.texts(.cliniciansWithLocal)).font(.body.bold()) }
        ForEach(model.flow.localRows ?? page.rows, id: \.self) { row in
            VStack(alignment: .leading, spacing: 2) {
                Text(row.name).font(.body.bold())
                Text(row.numbers)
                if let mark = row.mark { Text(mark).font(.callout.bold()) }
            }
            .accessibilityElement(children: .combine)
        }
    }

    @ViewBuilder private var measures: some View {
        Heading(text: model.texts(.cliniciansMeasures))
        if let quality = page.quality { Text(quality) }
        if let novelty = page.novelty { Text(novelty) }
    }

    @ViewBuilder private var identity: some View {
        Heading(text: model.texts(.cliniciansModel))
        Text(page.model)
        Text(page.time)
    }

    @ViewBuilder private var shares: some View {
        Heading(text: model.texts(.cliniciansShares))
        Text(model.texts(.cliniciansAssumed))
        ForEach(page.shares) { share in
            Text(share.line)
        }
    }

    /// The fields for local shares, or the sentence that the picture is gone.
    @ViewBuilder private var local: some View {
        Heading(text: model.texts(.cliniciansLocal))
        if model.flow.picture == nil {
            Text(model.texts(.resultPictureGone))
        } else {
            Text(model.texts(.cliniciansLocalHint))
            ForEach(page.shares) { share in
                field(share)
            }
            if model.flow.isSharesWrong {
                Text(model.texts(.cliniciansNotShares)).font(.body.bold())
            }
            BigButton(title: model.texts(.cliniciansApply), symbol: "equal.circle", action: adapt)
        }
    }

    @ViewBuilder
    private func field(_ share: CliniciansPage.Share) -> some View {
        Text(share.field)
            .accessibilityHidden(true)
        TextField("", text: $model[localShare: share.id])
            .keyboardType(.decimalPad)
            .textFieldStyle(.roundedBorder)
            .font(.title3)
            .frame(minHeight: 56)
            .accessibilityLabel(share.field)
            .accessibilityHint(model.texts(.cliniciansLocal))
    }

    private func adapt() {
        model.flow.adapt()
        if model.flow.isSharesWrong {
            UIAccessibility.post(notification: .announcement, argument: model.texts(.cliniciansNotShares))
        }
    }
}
