// The part of UIKit that ios/Sources/Bedside and the demo app call. The raw values are those of Apple's header. The
// part that the demo app calls does nothing; the app is only compiled against it.

@_exported import CoreGraphics

public final class UIImage: @unchecked Sendable {
    public enum Orientation: Int {
        case up = 0
        case down = 1
        case left = 2
        case right = 3
        case upMirrored = 4
        case downMirrored = 5
        case leftMirrored = 6
        case rightMirrored = 7
    }

    public let cgImage: CGImage?
    public let imageOrientation: Orientation
    public var size: CGSize { CGSize(width: 0, height: 0) }

    public init(cgImage: CGImage?, orientation: Orientation) {
        (self.cgImage, self.imageOrientation) = (cgImage, orientation)
    }

    public init(cgImage: CGImage) {
        (self.cgImage, self.imageOrientation) = (cgImage, .up)
    }

    public func jpegData(compressionQuality: CGFloat) -> Data? { nil }
    public func draw(in rect: CGRect) {}
}

public final class UIColor: NSObject, @unchecked Sendable {
    public static let black = UIColor()
    public static let systemBackground = UIColor()

    public func setStroke() {}
}

public final class UIFont: NSObject, @unchecked Sendable {
    public struct Weight: Sendable {
        public static let regular = Weight()
        public static let bold = Weight()
    }

    public class func systemFont(ofSize size: CGFloat, weight: Weight) -> UIFont { UIFont() }
}

@MainActor
public final class UIBezierPath: NSObject {
    public nonisolated override init() {}
    public nonisolated func move(to point: CGPoint) {}
    public nonisolated func addLine(to point: CGPoint) {}
    public nonisolated func stroke() {}
    public nonisolated var lineWidth: CGFloat {
        get { 1 }
        set {}
    }
}

public struct NSStringDrawingOptions: OptionSet, Sendable {
    public let rawValue: Int
    public static let usesLineFragmentOrigin = NSStringDrawingOptions(rawValue: 1)

    public init(rawValue: Int) { self.rawValue = rawValue }
}

public final class NSStringDrawingContext: NSObject {}

extension NSAttributedString.Key {
    public static let font = NSAttributedString.Key(rawValue: "NSFont")
    public static let foregroundColor = NSAttributedString.Key(rawValue: "NSColor")
}

extension NSAttributedString {
    public func boundingRect(
        with size: CGSize, options: NSStringDrawingOptions, context: NSStringDrawingContext?
    ) -> CGRect {
        .zero
    }

    public func draw(with rect: CGRect, options: NSStringDrawingOptions, context: NSStringDrawingContext?) {}
}

public final class UIGraphicsPDFRendererContext: NSObject {
    public func beginPage() {}
}

public final class UIGraphicsPDFRenderer: NSObject {
    public init(bounds: CGRect) {}
    public func pdfData(actions: (UIGraphicsPDFRendererContext) -> Void) -> Data { Data() }
}

@MainActor
open class UIViewController: NSObject {}

@MainActor
open class UINavigationController: UIViewController {}

@MainActor
public protocol UINavigationControllerDelegate: NSObjectProtocol {}

@MainActor
public protocol UIImagePickerControllerDelegate: NSObjectProtocol {
    func imagePickerController(
        _ picker: UIImagePickerController,
        didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any])
    func imagePickerControllerDidCancel(_ picker: UIImagePickerController)
}

@MainActor
open class UIImagePickerController: UINavigationController {
    public enum SourceType: Int, Sendable {
        case photoLibrary, camera, savedPhotosAlbum
    }

    public struct InfoKey: Hashable, Sendable {
        public static let originalImage = InfoKey()
    }

    public class func isSourceTypeAvailable(_ type: SourceType) -> Bool { false }
    public var sourceType = SourceType.photoLibrary
    public weak var delegate: (any UIImagePickerControllerDelegate & UINavigationControllerDelegate)?
}

@MainActor
public final class UIActivity: NSObject {}

@MainActor
open class UIActivityViewController: UIViewController {
    public init(activityItems: [Any], applicationActivities: [UIActivity]?) {}
}

@MainActor
public final class UIPrintInfo: NSObject {
    public class func printInfo() -> UIPrintInfo { UIPrintInfo() }
    public var jobName = ""
}

@MainActor
public final class UIPrintInteractionController: NSObject {
    public class var shared: UIPrintInteractionController { UIPrintInteractionController() }
    public class var isPrintingAvailable: Bool { false }
    public var printInfo: UIPrintInfo?
    public var printingItem: Any?

    public func present(
        animated: Bool, completionHandler: ((UIPrintInteractionController, Bool, (any Error)?) -> Void)? = nil
    ) -> Bool {
        false
    }
}

@MainActor
open class UIScene: NSObject {
    public nonisolated class var willDeactivateNotification: NSNotification.Name { .init("willDeactivate") }
    public nonisolated class var didActivateNotification: NSNotification.Name { .init("didActivate") }
}

@MainActor
public final class UIWindowScene: UIScene {}

@MainActor
open class UIWindow: NSObject {
    public struct Level: Sendable {
        public static let alert = Level()
        public static func + (level: Level, above: CGFloat) -> Level { level }
    }

    public init(windowScene: UIWindowScene) {}
    public var windowLevel = Level.alert
    public var rootViewController: UIViewController?
    public var isHidden = true
}

public enum UIKeyboardType: Int, Sendable {
    case `default`, decimalPad, numberPad
}

@MainActor
public enum UIAccessibility {
    public struct Notification: Sendable {
        public static let announcement = Notification()
    }

    public nonisolated static func post(notification: Notification, argument: Any?) {}
}

// Functions of Foundation that Linux lacks.

extension URL {
    public func startAccessingSecurityScopedResource() -> Bool { false }
    public func stopAccessingSecurityScopedResource() {}
}
