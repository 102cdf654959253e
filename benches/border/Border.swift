// Measures the classification of one 640×480 RGBA frame from Swift, as src/main.rs describes.
import Bedside
import Dispatch
import Foundation

let (width, height) = (640, 480)
let (model, calls, part) = (CommandLine.arguments[1], Int(CommandLine.arguments[2])!, CommandLine.arguments[3])
let classifier = try Classifier.open(path: model)
let questions = try classifier.manifest().scope
let corner = Region(left: 0, top: 0, width: 8 / Float(width), height: 8 / Float(height))
let query = Query(
    region: part == "corner" ? corner : nil,
    answers: Dictionary(uniqueKeysWithValues: questions.map { ($0.id, Answer.yes) }))
let layout = FrameLayout.rgba8(width: UInt32(width), height: UInt32(height), rowStride: UInt32(width * 4))
let format = FrameFormat(layout: layout, rotation: .upright)
var pixels = Data(capacity: width * height * 4)
for i in 0..<width * height {
    pixels.append(contentsOf: [UInt8(i % 251), UInt8(i / 640 % 241), UInt8(i % 239), 255])
}
var times: [Double] = []
for _ in 0..<calls {
    let start = DispatchTime.now().uptimeNanoseconds
    let report = try classifier.classifyFrame(pixels, format: format, query: query)
    times.append(Double(DispatchTime.now().uptimeNanoseconds - start) / 1e3)
    precondition(!report.findings.isEmpty, "the frame was rejected")
}
let warm = times.dropFirst(calls / 2).sorted()
print("\(warm[warm.count / 10]) \(warm[warm.count / 2]) 0")
