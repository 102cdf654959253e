// The part of Core Video that ios/Sources/Bedside calls. The memory of a plane ends with its last pixel.

public typealias OSType = UInt32
public typealias CVReturn = Int32
public typealias CFString = String
public typealias CFTypeRef = AnyObject

public let kCVReturnSuccess: CVReturn = 0
public let kCVPixelFormatType_32BGRA: OSType = 0x4247_5241
public let kCVPixelFormatType_420YpCbCr8BiPlanarFullRange: OSType = 0x3432_3066
public let kCVPixelFormatType_420YpCbCr8BiPlanarVideoRange: OSType = 0x3432_3076
public let kCVImageBufferYCbCrMatrixKey: CFString = "CVImageBufferYCbCrMatrix"
public let kCVImageBufferYCbCrMatrix_ITU_R_601_4: CFString = "ITU_R_601_4"
public let kCVImageBufferYCbCrMatrix_ITU_R_709_2: CFString = "ITU_R_709_2"

public struct CVPixelBufferLockFlags: OptionSet, Sendable {
    public let rawValue: UInt64
    public static let readOnly = CVPixelBufferLockFlags(rawValue: 1)

    public init(rawValue: UInt64) { self.rawValue = rawValue }
}

public final class CVPixelBuffer {
    let format: OSType
    let size: (width: Int, height: Int)
    let strides: [Int]
    let planes: [UnsafeMutableRawBufferPointer]
    public var matrix: String?
    public private(set) var locks = 0
    /// Whether locking fails.
    public var isGone = false

    public init(format: OSType, width: Int, height: Int, planes: [[UInt8]], strides: [Int]) {
        (self.format, self.size, self.strides) = (format, (width, height), strides)
        self.planes = planes.map { bytes in
            let plane = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
            plane.copyBytes(from: bytes)
            return plane
        }
    }

    deinit {
        for plane in planes { plane.deallocate() }
    }

    /// The address of a plane, or nil where the buffer is not locked.
    func address(of plane: Int) -> UnsafeMutableRawPointer? {
        locks > 0 && plane < planes.count ? planes[plane].baseAddress : nil
    }

    fileprivate func changeLocks(by change: Int) -> CVReturn {
        guard !isGone else { return -6660 }
        locks += change
        return kCVReturnSuccess
    }
}

public func CVPixelBufferLockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
    buffer.changeLocks(by: 1)
}

@discardableResult
public func CVPixelBufferUnlockBaseAddress(_ buffer: CVPixelBuffer, _ flags: CVPixelBufferLockFlags) -> CVReturn {
    buffer.changeLocks(by: -1)
}

public func CVPixelBufferGetPixelFormatType(_ buffer: CVPixelBuffer) -> OSType { buffer.format }
public func CVPixelBufferGetWidth(_ buffer: CVPixelBuffer) -> Int { buffer.size.width }
public func CVPixelBufferGetHeight(_ buffer: CVPixelBuffer) -> Int { buffer.size.height }
public func CVPixelBufferGetBytesPerRow(_ buffer: CVPixelBuffer) -> Int { buffer.strides[0] }
public func CVPixelBufferGetBaseAddress(_ buffer: CVPixelBuffer) -> UnsafeMutableRawPointer? { buffer.address(of: 0) }
public func CVPixelBufferGetBytesPerRowOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> Int { buffer.strides[plane] }

public func CVPixelBufferGetBaseAddressOfPlane(_ buffer: CVPixelBuffer, _ plane: Int) -> UnsafeMutableRawPointer? {
    buffer.address(of: plane)
}

public func CVBufferCopyAttachment(
    _ buffer: CVPixelBuffer, _ key: CFString, _ mode: UnsafeMutablePointer<UInt32>?
) -> CFTypeRef? {
    key == kCVImageBufferYCbCrMatrixKey ? buffer.matrix as AnyObject? : nil
}
