// The slip drawn onto one A4 page.

import BedsideDemoCore
import UIKit

@MainActor
enum SlipPage {
    /// A4 in points.
    static let size = CGSize(width: 595, height: 842)

    /// - Parameter site: The line of the site on the body, if there is one.
    static func pdf(of slip: Slip, site: String?, picture: UIImage?) -> Data {
        let bounds = CGRect(origin: .zero, size: size)
        let scale = [1, 0.9, 0.8, 0.7].first { end(of: slip, site, picture, scale: $0) <= Pen.bottom } ?? 0.6
        return UIGraphicsPDFRenderer(bounds: bounds).pdfData { context in
            context.beginPage()
            var pen = Pen(scale: scale, isDrawing: true)
            compose(slip, site, picture, &pen)
        }
    }

    /// The height that the texts take at a scale, in points.
    private static func end(of slip: Slip, _ site: String?, _ picture: UIImage?, scale: CGFloat) -> CGFloat {
        var pen = Pen(scale: scale, isDrawing: false)
        compose(slip, site, picture, &pen)
        return pen.y
    }

    private static func compose(_ slip: Slip, _ site: String?, _ picture: UIImage?, _ pen: inout Pen) {
        pen.write(slip.title, size: 22, weight: .bold)
        pen.write(slip.caseLine, size: 13)
        pen.write(slip.timeLine, size: 13)
        for blank in slip.blanks { pen.blank(blank) }
        pen.rule()
        pen.write(slip.resultTitle, size: 11)
        pen.write("\(slip.topic): \(slip.triageWord)", size: 18, weight: .bold)
        pen.write(slip.advice, size: 12)
        pen.write(slip.verdict, size: 14, weight: .bold)
        for reason in slip.reasons { pen.write("• \(reason)", size: 12) }
        pen.write(slip.dangerTitle, size: 12, weight: .bold)
        for sign in slip.danger { pen.write("• \(sign)", size: 12) }
        pen.write(slip.howTitle, size: 12, weight: .bold)
        if let site { pen.write(site, size: 12) }
        for line in slip.how { pen.write(line, size: 12) }
        if let picture {
            pen.picture(picture)
        } else if let gone = slip.pictureGone {
            pen.write(gone, size: 12)
        }
        pen.rule()
        pen.write(slip.notice, size: 12, weight: .bold)
        if let model = slip.model { pen.write(model, size: 9) }
        pen.rule()
        pen.write(slip.remarks, size: 12)
    }
}

/// Draws texts from the top of the page down, or only measures their height.
@MainActor
private struct Pen {
    static let bottom: CGFloat = 842 - 40
    private static let left: CGFloat = 48
    private static let width: CGFloat = 595 - 2 * left

    let scale: CGFloat
    let isDrawing: Bool
    private(set) var y: CGFloat = 40

    init(scale: CGFloat, isDrawing: Bool) {
        self.scale = scale
        self.isDrawing = isDrawing
    }

    mutating func write(_ text: String, size: CGFloat, weight: UIFont.Weight = .regular) {
        let font = UIFont.systemFont(ofSize: size * scale, weight: weight)
        let line = NSAttributedString(string: text, attributes: [.font: font, .foregroundColor: UIColor.black])
        let room = CGSize(width: Self.width, height: .greatestFiniteMagnitude)
        let height = line.boundingRect(with: room, options: .usesLineFragmentOrigin, context: nil).height.rounded(.up)
        if isDrawing {
            let place = CGRect(x: Self.left, y: y, width: Self.width, height: height)
            line.draw(with: place, options: .usesLineFragmentOrigin, context: nil)
        }
        y += height + 6 * scale
    }

    /// Draws a label with a line to write on.
    mutating func blank(_ label: String) {
        y += 10 * scale
        write(label, size: 11)
        line(from: Self.left + 150, at: y - 6 * scale)
    }

    mutating func rule() {
        y += 4 * scale
        line(from: Self.left, at: y)
        y += 8 * scale
    }

    mutating func picture(_ picture: UIImage) {
        let side = 150 * scale
        let fit = side / max(picture.size.width, picture.size.height, 1)
        let size = CGSize(width: picture.size.width * fit, height: picture.size.height * fit)
        if isDrawing { picture.draw(in: CGRect(origin: CGPoint(x: Self.left, y: y), size: size)) }
        y += size.height + 8 * scale
    }

    private func line(from x: CGFloat, at y: CGFloat) {
        guard isDrawing else { return }
        let path = UIBezierPath()
        path.move(to: CGPoint(x: x, y: y))
        path.addLine(to: CGPoint(x: Self.left + Self.width, y: y))
        path.lineWidth = 0.5
        UIColor.black.setStroke()
        path.stroke()
    }
}
