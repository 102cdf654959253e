"""Writes `dicom/`: a DICOM file, two files that are DICOM and TIFF at once, and a TIFF that has the letters DICM.

    python make_dicom.py

It reads nothing. pydicom 3.0.2, Pillow 13.0.0 and numpy 2.4.6 are pinned. DICOM leaves the first 128 bytes of a file to
the application (PS3.10, 7.1). Whole-slide scanners write a TIFF header there. In these files the TIFF directory lies in
the data set's trailing padding.
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
    """An image file directory (TIFF 6.0) of 8-bit grey pixels at `offset`."""
    width, height = size
    entries = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (273, offset), (277, 1), (278, height)]
    entries.append((279, width * height))
    body = b"".join(struct.pack(order + "HHLHH", tag, 3, 1, value, 0) for tag, value in entries)
    return struct.pack(order + "H", len(entries)) + body + bytes(4)


def dicom(preamble, padding):
    """A DICOM file of `LEVELS` with this preamble and trailing padding."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    dataset.file_meta.ImplementationClassUID = "2.25.2"
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.SOPInstanceUID = "2.25.1"
    dataset.Modality = "OT"
    dataset.Rows, dataset.Columns = LEVELS.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 8, 8, 7, 0
    dataset.PixelData = LEVELS.tobytes()
    dataset["PixelData"].VR = "OB"
    dataset.add_new(0xFFFCFFFC, "OB", padding)
    dataset.preamble = preamble.ljust(128, b"\0")
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


def both(order):
    """A file that is DICOM and TIFF at once. A first file without offsets shows where pixels and directory will lie."""
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
    """(a TIFF whose pixels are the letters DICM at offset 128, its grey levels)."""
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
