"""Writes two DICOM files and what a viewer exports of them, into `tests/pictures`, for the tests of all languages.

    pip install -r requirements.txt && python twins.py

`film.dcm` is a shipped sample, a chest film, as an archive keeps films: 12 bits, inverted, with a window. `film.png` is what
pydicom's own functions show of it. `loop.dcm` is a shipped ultrasound frame as a scanner stores it, three frames in run lengths
with text and a ruler around them, and `loop.png` is the region of tissue of its frame 1. What they show has the licence and the
attribution of `models/samples`.
"""

import pathlib

import numpy as np
import pydicom
from PIL import Image, ImageDraw
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

ROOT = pathlib.Path(__file__).parents[3]
SAMPLES = ROOT / "models/samples"
PICTURES = ROOT / "tests/pictures"
DIGITAL_X_RAY = "1.2.840.10008.5.1.4.1.1.1.1"
ULTRASOUND_LOOP = "1.2.840.10008.5.1.4.1.1.3.1"


def dataset(sop_class, syntax, rows, columns, **fields):
    out = Dataset()
    out.file_meta = FileMetaDataset()
    out.file_meta.MediaStorageSOPClassUID = sop_class
    out.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    out.file_meta.TransferSyntaxUID = syntax
    out.SOPClassUID, out.SOPInstanceUID = sop_class, "2.25.1"
    out.Rows, out.Columns = rows, columns
    out.PixelRepresentation = 0
    for name, value in fields.items():
        setattr(out, name, value)
    return out


def film():
    grey = Image.open(SAMPLES / "person100_bacteria_475.jpeg").convert("L")
    grey = np.asarray(grey)
    # A ramp of four levels between two grey levels, as noise: nothing is lost, and not all values are multiples.
    dither = np.random.default_rng(3).integers(0, 12, grey.shape)
    stored = (4095 - (grey.astype(int) * 12 + dither + 500)).astype("<u2")
    ds = dataset(
        DIGITAL_X_RAY,
        ExplicitVRLittleEndian,
        *grey.shape,
        Modality="DX",
        # No person: what follows must not come into a report.
        PatientName="Nobody^Bedside",
        PatientID="NOBODY-1",
        BurnedInAnnotation="YES",
        PixelSpacing=[0.4, 0.4],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME1",
        BitsAllocated=16,
        BitsStored=12,
        HighBit=11,
        RescaleSlope=1,
        RescaleIntercept=0,
        WindowCenter=2060,
        WindowWidth=3066,
    )
    ds.PixelData = stored.tobytes()
    ds.save_as(PICTURES / "film.dcm", enforce_file_format=True)
    read = pydicom.dcmread(PICTURES / "film.dcm")
    shown = apply_voi_lut(apply_modality_lut(read.pixel_array, read), read)
    # pydicom gives a window the range of the stored values.
    shown = 255 - np.floor(shown * 255 / 4095 + 0.5)
    Image.fromarray(shown.astype(np.uint8)).save(PICTURES / "film.png", optimize=True)


def loop():
    tissue = Image.open(SAMPLES / "bus_0016-l.jpg").convert("L")
    left, top = 40, 30
    frames = []
    for number in range(3):
        frame = Image.new("L", (tissue.width + 90, tissue.height + 60))
        # Each frame is a little brighter than the one before.
        frame.paste(tissue.point(lambda level, number=number: min(255, level + 6 * number)), (left, top))
        draw = ImageDraw.Draw(frame)
        draw.text((8, 8), "NOBODY 01.01.2026", fill=255)
        for y in range(top, top + tissue.height, 16):
            draw.line((frame.width - 20, y, frame.width - 12, y), fill=255)
        frames.append(np.asarray(frame))
    frames = np.stack(frames)
    region = Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = 1, 1, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = left, top
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = left + tissue.width - 1, top + tissue.height - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = 3
    region.PhysicalDeltaX = region.PhysicalDeltaY = 0.01
    ds = dataset(
        ULTRASOUND_LOOP,
        ExplicitVRLittleEndian,
        *frames.shape[1:],
        Modality="US",
        PatientName="Nobody^Bedside",
        NumberOfFrames=3,
        SequenceOfUltrasoundRegions=[region],
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
    )
    ds.PixelData = frames.tobytes()
    ds.compress(RLELossless, generate_instance_uid=False)
    ds.save_as(PICTURES / "loop.dcm", enforce_file_format=True)
    read = pydicom.dcmread(PICTURES / "loop.dcm")
    seen = read.pixel_array[1, top : top + tissue.height, left : left + tissue.width]
    Image.fromarray(seen).save(PICTURES / "loop.png", optimize=True)


if __name__ == "__main__":
    film()
    loop()
