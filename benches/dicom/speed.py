"""Times Bedside, dcmtk and pydicom side by side: from a DICOM file to 8-bit pixels as they are shown.

    cargo build --release --bin bedside && bedside pack models/breast-ultrasound/model.onnx --prepare -o us.prepared
    apt-get install libdcmtk-dev
    pip install -r requirements.txt
    python speed.py target/release/bedside us.prepared

It makes a film of 3000×2500 pixels with 12 bits in 16, and loops of 120 frames of 1024×768, and shows each of them a number of
times with each program, one after the other in each round. Bedside's time is its stage decode, which opens the file, shows the
frame and makes it red, green and blue; the others' is that of one process that opens the file anew in each round. The table has
the median of the rounds of each, and the peak of resident memory of a process that does one round: Bedside's with a model
opened and run besides.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_modality_lut, apply_voi_lut, iter_pixels
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, RLELossless

HERE = pathlib.Path(__file__).parent
ANSWERS = ("adult=yes", "still_frame=yes", "native_breast=yes")
FRAMES = 120


def dataset(syntax, rows, columns, **fields):
    out = Dataset()
    out.file_meta = FileMetaDataset()
    out.file_meta.TransferSyntaxUID = syntax
    out.file_meta.MediaStorageSOPClassUID = out.SOPClassUID = fields.pop("sop_class", "1.2.840.10008.5.1.4.1.1.1.1")
    out.file_meta.MediaStorageSOPInstanceUID = out.SOPInstanceUID = "2.25.1"
    out.Rows, out.Columns, out.PixelRepresentation = rows, columns, 0
    for name, value in fields.items():
        setattr(out, name, value)
    return out


def textured(height, width, seed):
    """Smooth shapes with noise, 0 to 1: no codec has it too easy."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / 200
    return np.clip((np.sin(x + seed / 9) * np.cos(y) + 1) / 2 + rng.normal(0, 0.02, (height, width)), 0, 1)


def film(path):
    values = (textured(2500, 3000, 1) * 4095).astype("<u2")
    deep = {"BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "WindowCenter": 2000, "WindowWidth": 3000}
    grey = {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME1", "PixelSpacing": [0.1, 0.1]}
    ds = dataset(ExplicitVRLittleEndian, 2500, 3000, RescaleSlope=1, RescaleIntercept=0, **deep, **grey)
    ds.PixelData = values.tobytes()
    ds.save_as(path, enforce_file_format=True)


def loop(path, syntax):
    is_jpeg = syntax == JPEGBaseline8Bit
    kind = (
        {"SamplesPerPixel": 3, "PhotometricInterpretation": "YBR_FULL_422", "PlanarConfiguration": 0}
        if is_jpeg
        else {"SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2"}
    )
    ds = dataset(syntax, 768, 1024, BitsAllocated=8, BitsStored=8, HighBit=7, NumberOfFrames=FRAMES, sop_class="1.2.840.10008.5.1.4.1.1.3.1", **kind)
    frames = [(textured(768, 1024, number) * 255).astype(np.uint8) for number in range(FRAMES)]
    if is_jpeg:
        files = []
        for frame in frames:
            with tempfile.TemporaryFile() as file:
                Image.fromarray(frame).convert("RGB").save(file, "JPEG", quality=90, subsampling="4:2:2")
                file.seek(0)
                files.append(file.read())
        ds.PixelData = encapsulate(files)
        ds["PixelData"].is_undefined_length = True
    else:
        ds.PixelData = b"".join(frame.tobytes() for frame in frames)
        if syntax == RLELossless:
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.compress(RLELossless, generate_instance_uid=False)
    ds.save_as(path, enforce_file_format=True)


def shown_by_pydicom(path):
    """Each frame as it is shown. A loop's frames need no window."""
    ds = pydicom.dcmread(path, stop_before_pixels=True)
    if "NumberOfFrames" in ds:
        for frame in iter_pixels(path):
            assert frame.dtype == np.uint8
        return
    ds = pydicom.dcmread(path)
    values = apply_voi_lut(apply_modality_lut(ds.pixel_array, ds), ds)
    np.rint(255 - values * (255 / 4095)).astype(np.uint8)


def by_bedside(bedside, model, path):
    """Milliseconds of the decoding of all frames."""
    line = [bedside, "classify", "--json", "--model", model, path, "--frames", "all"]
    line += [part for answer in ANSWERS for part in ("--answer", answer)]
    printed = subprocess.run(line, check=True, capture_output=True, text=True).stdout
    return sum(json.loads(report)["timings_ms"]["decode"] for report in printed.splitlines())


def memory(line):
    """The peak of resident memory of a command, in MB."""
    code = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL); "
    code += "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    return int(subprocess.run([sys.executable, "-c", code, *line], check=True, capture_output=True).stdout) / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bedside")
    parser.add_argument("model")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--pydicom", help="shows this file once, and does nothing else")
    options = parser.parse_args()
    if options.pydicom:
        return shown_by_pydicom(options.pydicom)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        dcmtk = folder / "speed"
        libraries = ["-ldcmimage", "-ldcmjpeg", "-ldcmimgle", "-ldcmdata", "-loflog", "-lofstd"]
        subprocess.run(["g++", "-O2", HERE / "speed.cc", "-o", dcmtk, *libraries], check=True)
        files = {"film, 3000×2500, 12 in 16 bits": "film.dcm", "loop, native": "native.dcm"}
        files |= {"loop, RLE": "rle.dcm", "loop, JPEG, colour": "jpeg.dcm"}
        film(folder / "film.dcm")
        for name, syntax in (("native", ExplicitVRLittleEndian), ("rle", RLELossless), ("jpeg", JPEGBaseline8Bit)):
            loop(folder / f"{name}.dcm", syntax)
        print("| file | Bedside, ms | dcmtk, ms | pydicom, ms | of the faster | Bedside, MB | dcmtk, MB | pydicom, MB |")
        print("|---|---|---|---|---|---|---|---|")
        for title, name in files.items():
            path = str(folder / name)
            rounds = options.rounds if name == "film.dcm" else max(5, options.rounds // 3)
            times = [[], [], []]
            for _ in range(rounds):
                times[0].append(by_bedside(options.bedside, options.model, path))
                printed = subprocess.run([dcmtk, path, "1"], check=True, capture_output=True, text=True).stdout
                times[1].append(float(printed))
                start = time.perf_counter()
                shown_by_pydicom(path)
                times[2].append((time.perf_counter() - start) * 1e3)
            ours, *others = [statistics.median(each) for each in times]
            answers = [part for answer in ANSWERS for part in ("--answer", answer)]
            peaks = [
                memory([options.bedside, "classify", "--model", options.model, path, "--frames", "all", *answers]),
                memory([str(dcmtk), path, "1"]),
                memory([sys.executable, __file__, options.bedside, options.model, "--pydicom", path]),
            ]
            row = [f"{ours:.1f}", *(f"{each:.1f}" for each in others), f"{ours / min(others):.2f}"]
            print("|", " | ".join([title, *row, *(f"{peak:.0f}" for peak in peaks)]), "|", flush=True)


if __name__ == "__main__":
    main()
