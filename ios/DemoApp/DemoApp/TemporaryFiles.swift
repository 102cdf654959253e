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

    /// At the start: what an earlier run left. A picture that is being opened with the app just now stays.
    static func removeLeftOvers() {
        for place in temporary where !place.lastPathComponent.contains("Inbox") { remove(place) }
    }

    static func removeAll() {
        // The system puts copies of pictures that other apps open with this one into Inbox.
        let documents = FileManager.default.urls(for: .documentDirectory, in: .userDomainMask)
        for place in temporary + documents.map({ $0.appendingPathComponent("Inbox") }) { remove(place) }
    }

    /// The slips, and what pickers and sheets left.
    private static var temporary: [URL] {
        let folder = FileManager.default.temporaryDirectory
        return (try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)) ?? []
    }

    private static func remove(_ place: URL) {
        try? FileManager.default.removeItem(at: place)
    }
}
