// DICOM files give what their exported twins give.

import Foundation
import XCTest

@testable import Bedside

final class DicomTests: XCTestCase {
    private func open(_ name: String) throws -> Image {
        try Image.open(path: path("tests/pictures/\(name)"))
    }

    private func scores(_ image: Image) throws -> [Float] {
        try shippedClassifier().scores(image: image)
    }

    private func report(_ name: String) throws -> Report {
        try shippedClassifier().classify(image: open(name), query: dermatoscopeQuery)
    }

    func testFilmGivesTheScoresOfItsExportFromAFileAndFromBytes() throws {
        let wanted = try scores(open("film.png"))
        XCTAssertEqual(wanted, try scores(open("film.dcm")))
        XCTAssertEqual(wanted, try scores(Image.fromBytes(bytes: bytes("tests/pictures/film.dcm"))))
    }

    func testFrameOfALoopGivesTheScoresOfItsExport() throws {
        let loop = try open("loop.dcm")
        XCTAssertEqual(try loop.frames(), 3)
        let wanted = try scores(open("loop.png"))
        XCTAssertEqual(wanted, try scores(loop.frame(number: 1)))
        XCTAssertNotEqual(wanted, try scores(loop.frame(number: 1).whole()))
        XCTAssertThrowsError(try scores(loop.frame(number: 3)))
    }

    func testReportHasTheWarningAndTheGeometryAndNoName() throws {
        let film = try report("film.dcm")
        XCTAssertEqual(film.warnings.map(\.kind), [.burnedIn])
        XCTAssertEqual(film.geometry?.spacing, Spacing(xMm: 0.4, yMm: 0.4, atDetector: false))
        XCTAssertFalse((film.text + film.json).lowercased().contains("nobody"))
        let loop = try XCTUnwrap(report("loop.dcm").geometry)
        XCTAssertEqual([loop.left, loop.top], [40, 30])
        XCTAssertEqual(try XCTUnwrap(loop.spacing).xMm, 0.1, accuracy: 1e-12)
        let export = try report("film.png")
        XCTAssert(export.warnings.isEmpty)
        XCTAssertNil(try XCTUnwrap(export.geometry).spacing)
    }

    func testShownFrameIsThePartThatIsLookedAt() throws {
        let shown = try open("loop.dcm").frame(number: 1).shown(maxSide: 4096)
        XCTAssertEqual(try scores(Image.fromBytes(bytes: shown)), try scores(open("loop.png")))
        XCTAssertThrowsError(try open("film.dcm").shown(maxSide: 0))
    }
}
