// The only files that the app has: the slip while it is shared, and copies that the system made of opened pictures.

import Foundation

enum TemporaryFiles {
    private static var folder: URL { FileManager.default.temporaryDirectory.appendingPathComponent("slips") }

    /// Writes a file that can't be read while the phone is locked.
    static func write(_ bytes: Data, as name: String) throws -> URL {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent(name)
        try bytes.write(to: file, options: [.atomic, .completeFileProtection])
        return file
    }

    static func removeAll() {
        // The system puts copies of pictures that other apps open with this one into Inbox.
        let documents = FileManager.default.urls(for: .documentDirectory, in: .userDomainMask)
        let inboxes = documents.map { $0.appendingPathComponent("Inbox") }
        for place in [folder] + inboxes + leftByTheSystem { try? FileManager.default.removeItem(at: place) }
    }

    /// What pickers and sheets left in the app's folder for temporary files.
    private static var leftByTheSystem: [URL] {
        let folder = FileManager.default.temporaryDirectory
        return (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }
}
