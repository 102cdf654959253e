// The screen of a result, in the order of importance: what to do, why, and where to go from there. It has no numbers.

import BedsideDemoCore
import SwiftUI

struct ResultView: View {
    let page: ResultPage
    @EnvironmentObject private var model: AppModel

    var body: some View {
        Screen {
            TriageBand(look: page.triage, advice: page.advice)
        } content: {
            if page.isByDanger { danger }
            Text(page.verdict).font(.title2.bold())
            ForEach(page.reasons + page.warnings, id: \.self) { line in Bullet(text: line) }
            if page.isUnassessed, !page.mayRetake { Text(model.texts(.resultNext)).font(.title3) }
            Notice()
            if page.hadPicture { PicturePreview(part: page.case.part) }
            ways
        }
        .navigationTitle(model.texts(page.topic.title))
        .safeAreaInset(edge: .bottom, spacing: 0) {
            if page.hasSlip {
                Footer(title: model.texts(.resultSlip), symbol: "doc.text", action: model.flow.openSlip)
            }
        }
    }

    @ViewBuilder private var danger: some View {
        Text(model.texts(.resultDanger)).font(.title3.bold())
        ForEach(page.danger, id: \.self) { sign in Bullet(text: sign) }
    }

    @ViewBuilder private var ways: some View {
        if page.mayRetake {
            BigButton(title: model.texts(.resultRetake), symbol: "camera", weight: .first, action: model.flow.retake)
        }
        if page.clinicians != nil {
            BigButton(title: model.texts(.resultClinicians), symbol: "number", action: model.flow.openClinicians)
        }
        if !page.isUnassessed {
            BigButton(title: model.texts(.resultAgain), symbol: "plus.viewfinder", action: model.again)
        }
        BigButton(title: model.texts(.resultHome), symbol: "xmark", action: model.finish)
    }
}

/// The word, icon and colour of a triage level, and the advice that goes with it.
private struct TriageBand: View {
    let look: TriageLook
    let advice: String
    @EnvironmentObject private var model: AppModel
    @Environment(\.colorScheme) private var scheme

    var body: some View {
        VStack(alignment: .leading, spacing: 8) {
            HStack(spacing: 12) {
                Image(systemName: look.symbol)
                    .accessibilityHidden(true)
                Text(model.texts(look.word))
            }
            .font(.largeTitle.bold())
            Text(advice).font(.title3)
        }
        .foregroundColor(look.color.ink(in: scheme))
        .padding()
        .frame(maxWidth: .infinity, alignment: .leading)
        .background(look.color.paper(in: scheme))
        .cornerRadius(12)
        .accessibilityElement(children: .combine)
    }
}

extension TriageLook.ColorRole {
    /// The band's colour. Its contrast with the ink is at least 7 to 1, because the screen is read in sunlight.
    fileprivate func paper(in scheme: ColorScheme) -> Color {
        let isDark = scheme == .dark
        return switch self {
        case .neutral: Color(hex: isDark ? 0xC3CDD8 : 0x3E4A56)
        case .attention: Color(hex: isDark ? 0xFFC069 : 0x7F4400)
        case .alarm: Color(hex: isDark ? 0xFFB3AC : 0x9E0B1B)
        case .none: Color(hex: isDark ? 0xD3C4FF : 0x4B3A78)
        }
    }

    fileprivate func ink(in scheme: ColorScheme) -> Color {
        guard scheme == .dark else { return Color(hex: 0xFFFFFF) }
        return switch self {
        case .neutral: Color(hex: 0x12181E)
        case .attention: Color(hex: 0x2B1700)
        case .alarm: Color(hex: 0x410004)
        case .none: Color(hex: 0x1F1046)
        }
    }
}

extension Color {
    /// A colour from a number of the form `0xRRGGBB`.
    fileprivate init(hex: Int) {
        let parts = [16, 8, 0].map { Double(hex >> $0 & 0xFF) / 255 }
        self.init(red: parts[0], green: parts[1], blue: parts[2])
    }
}
