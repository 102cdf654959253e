// The square on a picture of 400 by 200 pixels, and on one of 200 by 400.

import Foundation
import XCTest

@testable import BedsideDemoCore

final class CropTests: XCTestCase {
    private let wide = CGSize(width: 400, height: 200)
    private let tall = CGSize(width: 200, height: 400)

    func testFirstSquareIsTheMiddleOfThePicture() {
        XCTAssertEqual(Crop().part(of: wide), Part(left: 0.25, top: 0, width: 0.5, height: 1))
        XCTAssertEqual(Crop().part(of: tall), Part(left: 0, top: 0.25, width: 1, height: 0.5))
        let square = CGSize(width: 300, height: 300)
        XCTAssertEqual(Crop().part(of: square), Part(left: 0, top: 0, width: 1, height: 1))
    }

    func testSquareMovesByItsOwnSideAndStaysInThePicture() {
        // 200 pixels are half of the width; a fifth of them is a tenth.
        assertNear(Crop().moved(right: 0.2, down: 0, in: wide).part(of: wide), 0.35, 0, 0.5, 1)
        assertNear(Crop().moved(right: 3, down: -3, in: wide).part(of: wide), 0.5, 0, 0.5, 1)
        assertNear(Crop().moved(right: 1, down: 9, in: tall).part(of: tall), 0, 0.5, 1, 0.5)
    }

    func testEnlargedSquareKeepsItsCentre() {
        let twice = Crop().enlarged(by: 2, in: wide)
        assertNear(twice.part(of: wide), 0.375, 0.25, 0.25, 0.5)
        assertNear(twice.enlarged(by: 0.1, in: wide).part(of: wide), 0.25, 0, 0.5, 1)
        XCTAssertEqual(twice.enlarged(by: 1e9, in: wide).side, 0.1, "the smallest side")
    }

    func testSquareThatGrowsAtAnEdgeMovesIntoThePicture() {
        let corner = Crop().enlarged(by: 4, in: wide).moved(right: -9, down: -9, in: wide)
        assertNear(corner.part(of: wide), 0, 0, 0.125, 0.25)
        assertNear(corner.enlarged(by: 0.5, in: wide).part(of: wide), 0, 0, 0.25, 0.5)
    }

    private func assertNear(
        _ part: Part, _ left: Double, _ top: Double, _ width: Double, _ height: Double, line: UInt = #line
    ) {
        XCTAssertEqual(part.left, left, accuracy: 1e-12, line: line)
        XCTAssertEqual(part.top, top, accuracy: 1e-12, line: line)
        XCTAssertEqual(part.width, width, accuracy: 1e-12, line: line)
        XCTAssertEqual(part.height, height, accuracy: 1e-12, line: line)
    }
}
