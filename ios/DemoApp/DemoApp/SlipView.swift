// The screen of the slip: its page, and buttons to print and share it.

import BedsideDemoCore
import PDFKit
import SwiftUI
import UIKit

struct SlipView: View {
    let slip: Slip
    @EnvironmentObject private var model: AppModel
    @State private var page = Data()
    @State private var picture: UIImage?
    @State private var shared: SharedFile?
    @State private var isRefused = false

    var body: some View {
        Screen(slip.title) {
            Text(slip.caseLine).font(.title3)
            if let label = slip.siteField { site(label) }
            Text(model.texts(.slipForget)).font(.body.bold())
            BigButton(title: model.texts(.slipPrint), symbol: "printer", weight: .first, action: printPage)
            BigButton(title: model.texts(.slipShare), symbol: "square.and.arrow.up", action: share)
            if isRefused {
                Text(model.texts(.slipNoPrinter)).font(.body.bold())
            }
            preview
            BigButton(title: model.texts(.resultHome), symbol: "xmark", action: model.finish)
        }
        .task {
            if slip.hasPicture, let bytes = model.flow.picture {
                picture = await Task.detached { [part = slip.part] in PictureFile.preview(of: bytes, part: part) }.value
            }
            draw()
        }
        .onChange(of: model.site) { _ in draw() }
        .sheet(item: $shared, onDismiss: TemporaryFiles.removeAll) { file in ShareSheet(file: file.url) }
    }

    @ViewBuilder private var preview: some View {
        if let image = PDFDocument(data: page)?.page(at: 0)?.thumbnail(of: SlipPage.size, for: .mediaBox) {
            Image(uiImage: image)
                .resizable()
                .scaledToFit()
                .border(.secondary)
                .accessibilityLabel(model.texts(.slipPage))
        }
    }

    @ViewBuilder
    private func site(_ label: String) -> some View {
        Text(label)
            .accessibilityHidden(true)
        TextField("", text: $model.site)
            .textFieldStyle(.roundedBorder)
            .font(.title3)
            .frame(minHeight: 56)
            .accessibilityLabel(label)
    }

    private func draw() {
        let site = slip.siteField == nil ? nil : model.texts.siteLine(model.site)
        page = SlipPage.pdf(of: slip, site: site, picture: picture)
    }

    private func printPage() {
        let controller = UIPrintInteractionController.shared
        let job = UIPrintInfo.printInfo()
        job.jobName = slip.fileName
        controller.printInfo = job
        controller.printingItem = page
        let isOpen = UIPrintInteractionController.isPrintingAvailable && controller.present(animated: true)
        refuse(!isOpen)
    }

    private func share() {
        shared = (try? TemporaryFiles.write(page, as: "\(slip.fileName).pdf")).map(SharedFile.init)
        refuse(shared == nil)
    }

    private func refuse(_ isRefused: Bool) {
        self.isRefused = isRefused
        if isRefused {
            UIAccessibility.post(notification: .announcement, argument: model.texts(.slipNoPrinter))
        }
    }
}

private struct SharedFile: Identifiable {
    let url: URL
    var id: URL { url }
}

/// The system's share sheet for one file.
private struct ShareSheet: UIViewControllerRepresentable {
    let file: URL

    func makeUIViewController(context: Context) -> UIActivityViewController {
        UIActivityViewController(activityItems: [file], applicationActivities: nil)
    }

    func updateUIViewController(_ sheet: UIActivityViewController, context: Context) {}
}
