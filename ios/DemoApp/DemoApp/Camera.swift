// The system's camera screen. The picture stays in memory and is not added to the photo library.

import AVFoundation
import SwiftUI
import UIKit

struct Camera: UIViewControllerRepresentable {
    /// Called with the picture as JPEG, which has its EXIF orientation, or with nil where none was taken.
    let onEnd: (Data?) -> Void

    /// Whether there is a camera that the person has not forbidden.
    static var isAvailable: Bool {
        let isForbidden = [.denied, .restricted].contains(AVCaptureDevice.authorizationStatus(for: .video))
        return UIImagePickerController.isSourceTypeAvailable(.camera) && !isForbidden
    }

    func makeUIViewController(context: Context) -> UIImagePickerController {
        let picker = UIImagePickerController()
        picker.sourceType = .camera
        picker.delegate = context.coordinator
        return picker
    }

    func updateUIViewController(_ picker: UIImagePickerController, context: Context) {}

    func makeCoordinator() -> Coordinator {
        Coordinator(onEnd: onEnd)
    }

    final class Coordinator: NSObject, UIImagePickerControllerDelegate, UINavigationControllerDelegate {
        private let onEnd: (Data?) -> Void

        init(onEnd: @escaping (Data?) -> Void) {
            self.onEnd = onEnd
        }

        func imagePickerController(
            _ picker: UIImagePickerController,
            didFinishPickingMediaWithInfo info: [UIImagePickerController.InfoKey: Any]
        ) {
            onEnd((info[.originalImage] as? UIImage)?.jpegData(compressionQuality: 0.95))
        }

        func imagePickerControllerDidCancel(_ picker: UIImagePickerController) {
            onEnd(nil)
        }
    }
}
