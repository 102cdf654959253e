// Package.swift: .package(path: "bedside/ios"), and for the target .product(name: "Bedside", package: "ios")
import Bedside

let path = "models/samples/ISIC_0012258.jpg"
let classifier = try Classifier.open(path: "models/skin-lesion/model.onnx")
let query = Query(answers: ["dermatoscope": .yes, "mole_like": .yes])
let report = try classifier.classify(image: Image.open(path: path), query: query)
print("\(path)\n\n\(report.text)")
