"""Makes `dicom/`: files that are DICOM and TIFF at once, by pydicom, and a TIFF that only looks so.

    python make_dicom.py

Pinned: pydicom 3.0.2, Pillow 13.0.0, numpy 2.4.6. DICOM leaves the first 128 bytes to the application (PS3.10, 7.1): here
they are a TIFF's header, as scanners of whole slides write it, and the TIFF's directory lies in the trailing padding.
"""

import io
import pathlib
import struct

import numpy as np
import pydicom
from PIL import Image
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

HERE = pathlib.Path(__file__).parent / "dicom"
LEVELS = np.array([[10, 60, 110, 20], [160, 210, 250, 30]], dtype=np.uint8)


def directory(offset, order, size):
    """A directory of TIFF 6.0 for grey levels at `offset`."""
    width, height = size
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, offset), (277, 1), (278, height)]
    entries.append((279, width * height))
    body = b"".join(struct.pack(order + "HHLHH", tag, 3, 1, value, 0) for tag, value in entries)
    return struct.pack(order + "H", len(entries)) + body + bytes(4)


def dicom(preamble, padding):
    made = pydicom.Dataset()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    made.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    made.file_meta.ImplementationClassUID = "2.25.2"
    made.SOPClassUID = SecondaryCaptureImageStorage
    made.SOPInstanceUID = "2.25.1"
    made.Modality = "OT"
    made.Rows, made.Columns = LEVELS.shape
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = LEVELS.tobytes()
    made["PixelData"].VR = "OB"
    made.add_new(0xFFFCFFFC, "OB", padding)
    made.preamble = preamble.ljust(128, b"\0")
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def both(order):
    """First with places unknown, then with those that were found."""
    size = LEVELS.shape[::-1]
    padding = directory(0, order, size)
    plain = dicom(b"", padding)
    pixels, at = plain.index(LEVELS.tobytes()), len(plain) - len(padding)
    header = (b"II" if order == "<" else b"MM") + struct.pack(order + "HL", 42, at)
    data = dicom(header, directory(pixels, order, size))
    assert np.array_equal(pydicom.dcmread(io.BytesIO(data)).pixel_array, LEVELS)
    assert np.array_equal(Image.open(io.BytesIO(data)), LEVELS)
    return data


def by_chance():
    """A TIFF of grey levels, four of which are DICOM's letters, at their place."""
    levels = np.arange(24 * 16, dtype=np.uint16).astype(np.uint8).reshape(16, 24)
    levels.reshape(-1)[120:124] = list(b"DICM")
    data = b"II" + struct.pack("<HL", 42, 8 + levels.size) + levels.tobytes() + directory(8, "<", (24, 16))
    assert data[128:132] == b"DICM"
    return data, np.asarray(Image.open(io.BytesIO(data)))


def main():
    HERE.mkdir(exist_ok=True)
    (HERE / "plain.dcm").write_bytes(dicom(b"", bytes(2)))
    (HERE / "tiff-ii.dcm").write_bytes(both("<"))
    (HERE / "tiff-mm.dcm").write_bytes(both(">"))
    data, grey = by_chance()
    (HERE / "by-chance.tif").write_bytes(data)
    rgb = np.dstack([grey] * 3)
    (HERE / "by-chance.ppm").write_bytes(b"P6 %d %d 255\n" % (rgb.shape[1], rgb.shape[0]) + rgb.tobytes())


if __name__ == "__main__":
    main()
