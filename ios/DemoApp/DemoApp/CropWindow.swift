// The square window on a picture, which fingers, arrow keys and screen readers move and enlarge, with a circle for the
// spot to fill.

import BedsideDemoCore
import SwiftUI
import UIKit

struct CropWindow: View {
    /// By how much a button or a screen reader enlarges.
    static let factor = 1.25
    /// By how much of the window's side a key or a screen reader moves.
    private static let step = 0.05
    /// The circle's diameter over the window's side.
    private static let circle = 0.4

    let picture: UIImage
    @Binding var crop: Crop
    @EnvironmentObject private var model: AppModel
    @Environment(\.verticalSizeClass) private var sizeClass
    @GestureState private var isDragged = false
    @GestureState private var isPinched = false
    /// How far the finger has come since the drag began, at its last change.
    @State private var dragged = CGSize.zero
    /// How far the fingers have opened since the pinch began, at its last change.
    @State private var pinched: CGFloat = 1

    var body: some View {
        GeometryReader { place in
            window(crop.part(of: picture.size))
                .gesture(drag(side: place.size.width))
                .simultaneousGesture(pinch)
        }
        .aspectRatio(1, contentMode: .fit)
        // On a screen that is wider than tall, the buttons below stay within reach.
        .frame(maxWidth: sizeClass == .compact ? 220 : .infinity)
        .background { keys }
        .onChange(of: isDragged) { isDragged in if !isDragged { dragged = .zero } }
        .onChange(of: isPinched) { isPinched in if !isPinched { pinched = 1 } }
        .accessibilityElement()
        .accessibilityLabel(model.texts(.cropWindow))
        .accessibilityAdjustableAction { direction in
            enlarge(by: direction == .increment ? Self.factor : 1 / Self.factor)
        }
        .accessibilityAction(named: model.texts(.cropLeft)) { move(to: .leading) }
        .accessibilityAction(named: model.texts(.cropRight)) { move(to: .trailing) }
        .accessibilityAction(named: model.texts(.cropUp)) { move(to: .top) }
        .accessibilityAction(named: model.texts(.cropDown)) { move(to: .bottom) }
        .frame(maxWidth: .infinity)
    }

    private func enlarge(by factor: Double) {
        crop = crop.enlarged(by: factor, in: picture.size)
    }

    private func move(right: Double, down: Double) {
        crop = crop.moved(right: right, down: down, in: picture.size)
    }

    private func move(to edge: Edge) {
        switch edge {
        case .top: move(right: 0, down: -Self.step)
        case .leading: move(right: -Self.step, down: 0)
        case .bottom: move(right: 0, down: Self.step)
        case .trailing: move(right: Self.step, down: 0)
        }
    }

    // MARK: Fingers and keys

    /// A drag of one finger. While two pinch, it only keeps count, so that the picture stays where it is.
    private func drag(side: CGFloat) -> some Gesture {
        DragGesture(minimumDistance: 0)
            .updating($isDragged) { _, isDragged, _ in isDragged = true }
            .onChanged { drag in
                let (right, down) = (
                    dragged.width - drag.translation.width, dragged.height - drag.translation.height)
                if !isPinched, side > 0 { move(right: right / side, down: down / side) }
                dragged = drag.translation
            }
    }

    private var pinch: some Gesture {
        MagnificationGesture()
            .updating($isPinched) { _, isPinched, _ in isPinched = true }
            .onChanged { opened in
                enlarge(by: opened / pinched)
                pinched = opened
            }
    }

    /// Buttons for the arrow keys, which are neither seen nor, as parts of the window, spoken.
    private var keys: some View {
        ForEach(Edge.allCases, id: \.self) { edge in
            Button {
                move(to: edge)
            } label: {
                EmptyView()
            }
            .keyboardShortcut(edge.arrow, modifiers: [])
        }
        .opacity(0)
    }

    // MARK: What is seen

    private func window(_ part: Part) -> some View {
        Canvas { context, size in
            let (width, height) = (size.width / part.width, size.height / part.height)
            let whole = CGRect(x: -part.left * width, y: -part.top * height, width: width, height: height)
            context.draw(Image(uiImage: picture), in: whole)
            let ring = Self.ring(in: size)
            var around = Path(CGRect(origin: .zero, size: size))
            around.addPath(ring)
            context.fill(around, with: .color(.black.opacity(0.35)), style: FillStyle(eoFill: true))
            // A white ring within a black one is seen on every skin.
            context.stroke(ring, with: .color(.black), lineWidth: 5)
            context.stroke(ring, with: .color(.white), lineWidth: 2.5)
        }
        .clipped()
    }

    private static func ring(in window: CGSize) -> Path {
        let diameter = circle * window.width
        let corner = CGPoint(x: (window.width - diameter) / 2, y: (window.height - diameter) / 2)
        return Path(ellipseIn: CGRect(origin: corner, size: CGSize(width: diameter, height: diameter)))
    }
}

extension Edge {
    fileprivate var arrow: KeyEquivalent {
        switch self {
        case .top: .upArrow
        case .leading: .leftArrow
        case .bottom: .downArrow
        case .trailing: .rightArrow
        }
    }
}
