// The part of PDFKit that the demo app calls to show its slip.

@_exported import UIKit

public enum PDFDisplayBox: Int, Sendable {
    case mediaBox
}

public final class PDFPage: NSObject {
    public func thumbnail(of size: CGSize, for box: PDFDisplayBox) -> UIImage {
        UIImage(cgImage: nil, orientation: .up)
    }
}

public final class PDFDocument: NSObject {
    public init?(data: Data) { return nil }
    public func page(at index: Int) -> PDFPage? { nil }
}
