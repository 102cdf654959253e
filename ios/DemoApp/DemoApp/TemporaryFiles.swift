// The only files of the app: the slip while it is shared, and copies that the system made of opened pictures.

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

    /// Removes the files of an earlier run when the app starts. A picture that the app is being opened with stays.
    static func removeLeftOvers() {
        for place in temporary where !place.lastPathComponent.contains("Inbox") { remove(place) }
    }

    static func removeAll() {
        // The system copies pictures that other apps open with this app to the folder Inbox.
        let documents = FileManager.default.urls(for: .documentDirectory, in: .userDomainMask)
        for place in temporary + documents.map({ $0.appendingPathComponent("Inbox") }) { remove(place) }
    }

    /// The slips, and the files of pickers and sheets.
    private static var temporary: [URL] {
        let folder = FileManager.default.temporaryDirectory
        return (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }

    private static func remove(_ place: URL) {
        try? FileManager.default.removeItem(at: place)
    }
}
