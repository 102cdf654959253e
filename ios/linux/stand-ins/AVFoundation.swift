// The part of AVFoundation that the demo app calls.

public struct AVMediaType: Sendable {
    public static let video = AVMediaType()
}

public enum AVAuthorizationStatus: Int, Sendable {
    case notDetermined, restricted, denied, authorized
}

public final class AVCaptureDevice {
    public class func authorizationStatus(for type: AVMediaType) -> AVAuthorizationStatus { .notDetermined }
}
