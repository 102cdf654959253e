"""Compares what Bedside shows of DICOM files with pydicom, dcmtk and GDCM.

    cargo build --release --bin bedside
    apt-get install dcmtk
    pip install -r requirements.txt
    python compare.py target/release/bedside --files FOLDER FOLDER --to page.md

It looks at each file in the folders that pydicom or Bedside takes for DICOM, once where there are several of the same
bytes: at the first, the middle and the last frame, each as `bedside show --whole` writes it. The page in Markdown says by how
many grey levels each of the others differs from it at most, and in which share of the pixels by more than one. No file
and no picture is copied, and of a file's texts only those are shown that say how its pixels are stored.

pydicom is the reference. The first of its decoders that can, of pyjpegls, pylibjpeg, Pillow and GDCM, reads the pixels.
Its own functions apply the modality table, the VOI table or the window, the palette and the colour space. The rest is
done here as `tests/golden/dicom/README.md` says: the 8 bits, the whole range where a file has neither window nor VOI
table, MONOCHROME1, and black padding. Of functional groups pydicom applies none: their values are put into the data set
before.

dcmtk makes its 8 bits by itself, and draws padding as any value, so that padded pixels are left out. It knows no
functional groups. GDCM gives stored values alone: what follows them is pydicom's.

`reasons.toml`, beside this script, says of a file why it differs, by how many levels at most, or is refused. The script
fails if a file differs by more than one level, or is refused by Bedside alone, without a reason.
"""

import argparse
import collections
import hashlib
import io
import logging
import multiprocessing
import pathlib
import re
import subprocess
import tempfile
import tomllib
import warnings

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import (
    apply_color_lut,
    apply_modality_lut,
    apply_voi,
    apply_windowing,
    convert_color_space,
    pixel_array,
)

PATIENCE = 120
JPEG_LS = ("1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81")
PLUGINS = ("pydicom", "pyjpegls", "pylibjpeg", "pillow", "gdcm")
GROUPS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
GREY = [
    *("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept"),
    *("VOILUTSequence", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("PhotometricInterpretation", "BitsAllocated", "BitsStored", "PixelRepresentation"),
]


class Refusal(Exception):
    """Another program's way to say that it can't read a file."""


def first_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    if lines[0].startswith("Unable to decode") and len(lines) > 1:
        lines = lines[1:]
    return re.sub(r"\s+", " ", lines[0])[:220]


def apart(function, *arguments):
    """What the function returns, run in a process of its own: decoders of damaged files may crash or never end."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def run():
        try:
            sender.send((True, function(*arguments)))
        except Exception as error:
            sender.send((False, first_line(error)))

    process = context.Process(target=run)
    process.start()
    sender.close()
    try:
        if not receiver.poll(PATIENCE):
            raise Refusal(f"takes more than {PATIENCE} seconds")
        good, value = receiver.recv()
    except EOFError:
        raise Refusal("crashes") from None
    finally:
        process.kill()
        process.join()
    if not good:
        raise Refusal(value)
    return value


# What pydicom shows.


def data_set(path):
    dataset = pydicom.dcmread(path, force=True)
    if not getattr(dataset, "file_meta", None):
        dataset.file_meta = pydicom.dataset.FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        native = pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian
        dataset.file_meta.TransferSyntaxUID = native if little else pydicom.uid.ExplicitVRBigEndian
    return dataset


def has_value(dataset, keyword):
    value = dataset.get(keyword)
    return value not in (None, "") and not (keyword.endswith("Sequence") and len(value) == 0)


def grey_values(dataset, frame):
    """A data set of what decides how a frame's values are shown, also that of functional groups."""
    places = [dataset]
    for name, index in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", frame)):
        items = dataset.get(name) or []
        if index < len(items):
            places += [items[index][group][0] for group in GROUPS if has_value(items[index], group)]
    result = pydicom.Dataset()
    result.file_meta = dataset.file_meta
    for place in places:
        for keyword in GREY:
            if has_value(place, keyword):
                result[keyword] = place[keyword]
    return result, len(places) > 1


def limits(values):
    """The smallest and largest value that the stored bits hold."""
    bits = values.BitsStored
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if values.PixelRepresentation else (0, (1 << bits) - 1)


def padding(dataset, stored):
    """Which stored values are padding."""
    if not has_value(dataset, "PixelPaddingValue"):
        return np.zeros(stored.shape, bool)
    bits = dataset.BitsAllocated
    ends = [dataset.PixelPaddingValue, dataset.get("PixelPaddingRangeLimit") or dataset.PixelPaddingValue]
    ends = [int.from_bytes(end, "little") if isinstance(end, bytes) else int(end) for end in ends]
    ends = [end % (1 << bits) for end in ends]
    if dataset.PixelRepresentation:
        ends = [end - (1 << bits) if end >> bits - 1 else end for end in ends]
    return (stored >= min(ends)) & (stored <= max(ends))


def eight_bits(part):
    return np.floor(np.clip(part, 0, 1) * 255 + 0.5).astype(np.uint8)


def grey(dataset, stored, frame):
    """8 bits of a grey frame's stored values, with padding black, and which rule made them."""
    values, _ = grey_values(dataset, frame)
    shown = apply_modality_lut(stored, values)
    if "ModalityLUTSequence" in values:
        low, high = 0, (1 << values.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    else:
        low, high = apply_modality_lut(np.array(limits(values)), values).astype(float)
    if "VOILUTSequence" in values:
        top = (1 << values.VOILUTSequence[0].LUTDescriptor[2]) - 1
        part = apply_voi(np.rint(shown).astype(np.int64), values, 0) / top
        rule = "VOI table"
    elif "WindowCenter" in values and "WindowWidth" in values:
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (apply_windowing(shown, values, 0) - low) / (high - low)
        rule = "window"
    else:
        low, high = min(low, high), max(low, high)
        part = (shown - low) / (high - low)
        rule = "whole range"
    if values.PhotometricInterpretation == "MONOCHROME1":
        part = 1 - part
    return np.where(padding(dataset, stored), 0, eight_bits(part)).astype(np.uint8), rule


def shown(dataset, stored, frame):
    """8 bits of a frame's samples, in colour already RGB or indices of a palette."""
    if stored.ndim == 3 and stored.shape[2] == 3:
        top = (1 << dataset.BitsStored) - 1
        return np.floor(stored.astype(float) * 255 / top + 0.5).astype(np.uint8), "colours"
    if dataset.PhotometricInterpretation == "PALETTE COLOR":
        colors = apply_color_lut(stored, dataset)
        bits = dataset.RedPaletteColorLookupTableDescriptor[2]
        return np.rint(colors.astype(float) / 257).astype(np.uint8) if bits > 8 else colors.astype(np.uint8), "palette"
    return grey(dataset, stored, frame)


def chosen_frames(count):
    return sorted({0, count // 2, count - 1})


def frame_count(dataset):
    return max(int(dataset.get("NumberOfFrames") or 1), 1)


def described(path):
    """What a file says of its pixels."""
    dataset = data_set(path)
    if not any(keyword in dataset for keyword in ("Rows", "SOPClassUID", "DirectoryRecordSequence", "PixelData")):
        raise Refusal("is no DICOM file")
    syntax = dataset.file_meta.TransferSyntaxUID
    stored, allocated = dataset.get("BitsStored", "?"), dataset.get("BitsAllocated", "?")
    signed = ", signed" if dataset.get("PixelRepresentation") == 1 else ""
    return {
        "syntax": str(syntax),
        "name": syntax.name if syntax.name != syntax else str(syntax).removeprefix("1.2.840.10008."),
        "frames": frame_count(dataset),
        "has_pixels": "Rows" in dataset and "PixelData" in dataset,
        "bits": f"{stored} of {allocated}{signed}" if "Rows" in dataset else "",
        "photometric": str(dataset.get("PhotometricInterpretation") or ""),
    }


def samples(dataset, frame):
    """A frame's samples by the first of pydicom's decoders that can, GDCM's as the last: it has a column of its own."""
    available = pydicom.pixels.get_decoder(dataset.file_meta.TransferSyntaxUID).available_plugins
    plugins = [name for name in PLUGINS if name in available] or [""]
    errors = []
    for plugin in plugins:
        try:
            return pixel_array(dataset, index=frame, decoding_plugin=plugin)
        except Exception as error:
            errors.append(error)
    raise errors[0]


def by_pydicom(path, frame):
    """A frame by pydicom: 8 bits, where padding is, the rule, and what dcmtk needs to show the same."""
    dataset = data_set(path)
    stored = samples(dataset, frame)
    pixels, rule = shown(dataset, stored, frame)
    padded = padding(dataset, stored) if stored.ndim == 2 else np.zeros(stored.shape[:2], bool)
    return pixels, padded, rule, grey_values(dataset, frame)[1]


# What the others show.


def by_gdcm(path):
    """All frames' stored values by GDCM: frames, rows, columns, samples. Colours are RGB."""
    import gdcm

    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    if not reader.Read():
        raise Refusal("GDCM can't read it")
    image = reader.GetImage()
    form = image.GetPixelFormat()
    names = {
        gdcm.PixelFormat.UINT8: "u1",
        gdcm.PixelFormat.INT8: "i1",
        gdcm.PixelFormat.UINT16: "u2",
        gdcm.PixelFormat.INT16: "i2",
        gdcm.PixelFormat.UINT32: "u4",
        gdcm.PixelFormat.INT32: "i4",
    }
    kind = form.GetScalarType()
    if kind == gdcm.PixelFormat.SINGLEBIT:
        raise Refusal("GDCM gives no pixels of one bit")
    if kind not in names:
        raise Refusal("GDCM gives pixels of another type")
    data = image.GetBuffer().encode("utf-8", errors="surrogateescape")
    columns, rows = image.GetDimension(0), image.GetDimension(1)
    samples = form.GetSamplesPerPixel()
    values = np.frombuffer(data, names[kind])
    frames = image.GetDimension(2) if image.GetNumberOfDimensions() > 2 else 1
    if values.size < frames * rows * columns * samples:
        raise Refusal("GDCM gives too few pixels")
    values = values[: frames * rows * columns * samples]
    if samples == 3 and image.GetPlanarConfiguration() == 1:
        values = values.reshape(frames, samples, rows, columns).transpose(0, 2, 3, 1)
    else:
        values = values.reshape(frames, rows, columns, samples)
    photometric = str(image.GetPhotometricInterpretation()).strip()
    return values, photometric


def shown_of_gdcm(path, frames):
    """The chosen frames, 8 bits each."""
    values, photometric = by_gdcm(path)
    dataset = data_set(path)
    result = {}
    for frame in frames:
        stored = values[frame]
        if stored.shape[2] == 3:
            if photometric.startswith("YBR_FULL"):
                stored = convert_color_space(stored, "YBR_FULL", "RGB")
        else:
            stored = stored[:, :, 0]
        result[frame] = shown(dataset, stored, frame)[0]
    return result


def by_dcmtk(path, frame, rule, syntax):
    """A frame by dcmtk."""
    program = "dcml2pnm" if syntax in JPEG_LS else "dcmj2pnm"
    options = {"window": ["+Wi", "1"], "VOI table": ["+Wl", "1"], "whole range": ["-W"]}.get(rule, [])
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "frame.pnm")
        call = [program, "-O", "+op", "+F", str(frame + 1), *options, str(path), str(file)]
        try:
            done = subprocess.run(call, capture_output=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Refusal(f"takes more than {PATIENCE} seconds") from None
        # It may say an error, and return 0. A window that it can't take it leaves out.
        if b"cannot select VOI" in done.stderr:
            raise Refusal("dcmtk refuses the window or table")
        if not file.exists() or not file.stat().st_size:
            said = [line[3:] for line in done.stderr.decode(errors="replace").splitlines() if line[:2] in ("E:", "F:")]
            raise Refusal(said[-1] if said else "dcmtk writes nothing")
        return np.asarray(Image.open(file))


def by_bedside(program, path, frame):
    """A frame by Bedside, and how many it finds in the file."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "frame.png")
        call = [program, "show", str(path), "--whole", "--frame", str(frame), "-o", str(file)]
        try:
            done = subprocess.run(call, capture_output=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise Refusal(f"takes more than {PATIENCE} seconds") from None
        if done.returncode < 0 or b"panicked" in done.stderr:
            raise Refusal(f"crashes ({done.returncode})")
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise Refusal(said.replace(str(path), "").removeprefix("error:").strip(" :"))
        count = re.search(rb"Frame\s+\d+ of (\d+)", done.stdout)
        return np.asarray(Image.open(file).convert("RGB")), int(count[1])


# The page.


class Difference:
    """How far the frames of a file are from another program's."""

    def __init__(self):
        self.greatest, self.beyond, self.pixels, self.refusal = 0, 0, 0, None

    def add(self, pixels, others, ignored=None):
        if others.ndim == 2:
            others = np.repeat(others[:, :, None], 3, 2)
        if pixels.shape != others.shape:
            self.refuse(f"is of another size: {others.shape[1]}×{others.shape[0]}")
            return
        apart_by = np.abs(pixels.astype(int) - others).max(2)
        if ignored is not None:
            apart_by = apart_by[~ignored]
        self.greatest = max(self.greatest, int(apart_by.max(initial=0)))
        self.beyond += int(np.count_nonzero(apart_by > 1))
        self.pixels += apart_by.size

    def refuse(self, why):
        self.refusal = self.refusal or first_line(why)

    def __str__(self):
        if self.refusal:
            return "can't"
        if not self.pixels:
            return "–"
        if not self.beyond:
            return str(self.greatest)
        return f"{self.greatest} ({100 * self.beyond / self.pixels:.2g} %)"


def compared(program, path):
    """A row of the table; `None` of a file that is no DICOM."""
    try:
        row = apart(described, path)
    except Refusal:
        row = None
    try:
        count = by_bedside(program, path, 0)[1]
        refusal = None
    except Refusal as error:
        count, refusal = None, str(error)
    is_known = refusal is None or "DICOM" in refusal
    with open(path, "rb") as file:
        head = file.read(132)
    if row is None and (not is_known or head[:3] in (b"\xff\xd8\xff", b"\x89PN")):
        return None
    if row is not None and not is_known and head[128:] != b"DICM" and not row["has_pixels"]:
        return None
    row = row or {"syntax": "", "name": "", "frames": 1, "has_pixels": False, "bits": "", "photometric": ""}
    row |= {"file": path.name, "shown": 0, "refusal": refusal, "rules": set(), "groups": False}
    row |= {"pydicom": Difference(), "dcmtk": Difference(), "gdcm": Difference()}
    if not row["has_pixels"]:
        row["frames"] = count or row["frames"]
    frames = chosen_frames(row["frames"])
    if count is not None and count != row["frames"]:
        row["pydicom"].refuse(f"finds {row['frames']} frames, Bedside {count}")
    gdcm = {}
    try:
        gdcm = apart(shown_of_gdcm, path, frames)
    except Refusal as error:
        row["gdcm"].refuse(error)
    for frame in frames:
        pixels = None
        try:
            pixels = by_bedside(program, path, frame)[0]
            row["shown"] += 1
        except Refusal as error:
            row["refusal"] = row["refusal"] or f"frame {frame}: {error}"
        padded, rule, groups = None, None, False
        try:
            others, padded, rule, groups = apart(by_pydicom, path, frame)
            row["rules"].add(rule)
            row["groups"] |= groups
            if pixels is not None:
                row["pydicom"].add(pixels, others)
        except Refusal as error:
            row["pydicom"].refuse(error)
        if groups:
            row["dcmtk"].refuse("knows no functional groups")
        else:
            try:
                others = by_dcmtk(path, frame, rule, row["syntax"])
                if pixels is not None:
                    row["dcmtk"].add(pixels, others, padded)
            except Refusal as error:
                row["dcmtk"].refuse(error)
        if pixels is not None and frame in gdcm:
            row["gdcm"].add(pixels, gdcm[frame], padded)
    return row


def group(row):
    if row["refusal"]:
        return "refused by both" if row["pydicom"].refusal else "refused by Bedside alone"
    if row["pydicom"].refusal:
        return "read by Bedside alone"
    return "differs by more than one level" if row["pydicom"].greatest > 1 else "read, within one level"


def escaped(text):
    return str(text).replace("|", "\\|").replace("\n", " ").replace("<", "&lt;").replace("[", "\\[").replace("]", "\\]")


def line(cells):
    return "| " + " | ".join(escaped(cell) for cell in cells) + " |"


def page(rows, reasons):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[group(row)].append(row)
    frames = sum(row["shown"] for row in rows)
    out = io.StringIO()
    write = lambda *texts: print(*texts, file=out)
    write("# What Bedside shows of DICOM files, beside pydicom, dcmtk and GDCM\n")
    write("`benches/dicom/compare.py` writes this page, and says how it compares.\n")
    write(f"{len(rows)} files, {frames} frames of which Bedside shows.\n")
    order = [
        "read, within one level",
        "differs by more than one level",
        "refused by Bedside alone",
        "read by Bedside alone",
        "refused by both",
    ]
    write(line(["outcome", "files"]))
    write("|---|---|")
    for name in order:
        write(line([name, len(groups[name])]))
    write(
        "\nA cell has the greatest difference in grey levels and, where there are any, the share of pixels that differ"
    )
    write("by more than one. Padding, which dcmtk and GDCM draw, is left out in their columns.\n")
    write(line(["file", "syntax", "frames", "bits", "photometric", "shown by", "pydicom", "dcmtk", "GDCM"]))
    write("|" + "---|" * 9)
    for row in rows:
        rules = ", ".join(sorted(row["rules"])) + (", functional groups" if row["groups"] else "")
        ours = [row["pydicom"], row["dcmtk"], row["gdcm"]]
        if row["refusal"]:
            ours = ["refused; " + ("can't" if one.refusal else "can") for one in ours]
        cells = [row["name"], row["frames"], row["bits"], row["photometric"], rules, *ours]
        write(line([f"`{row['file']}`", *cells]))
    for name in order[1:]:
        if not groups[name]:
            continue
        write(f"\n## {name[0].upper()}{name[1:]}\n")
        write_list(groups[name], reasons, write)
    others = [row for row in groups["read, within one level"] if row["dcmtk"].beyond or row["gdcm"].beyond]
    if others:
        write("\n## Within one level of pydicom, and not of dcmtk or GDCM\n")
        write_list(others, reasons, write)
    return out.getvalue()


def write_list(rows, reasons, write):
    """A line for each message and reason, with the files that have it. What differs, the table says."""
    lines = collections.defaultdict(list)
    for row in rows:
        reason = reason_of(row, reasons)
        is_told = reason and not row["refusal"] and not row["pydicom"].refusal
        lines["" if is_told else said(row), reason].append(f"`{row['file']}`")
    for texts, files in lines.items():
        write(f"- {', '.join(files)}: {' '.join(filter(None, texts))}")


def said(row):
    texts = [] if row["refusal"] else [f"pydicom {row['pydicom']}, dcmtk {row['dcmtk']}, GDCM {row['gdcm']}"]
    if row["refusal"]:
        texts.append(f"Bedside: “{escaped(first_line(row['refusal']))}”")
    if row["pydicom"].refusal:
        texts.append(f"pydicom: “{escaped(row['pydicom'].refusal)}”")
    return "; ".join(texts) + "."


def reason_of(row, reasons):
    """Why a file differs or is refused; empty where nothing says so, or where it differs by more than is said."""
    name = f"{row['hash'][:12]} {row['file']}"
    fitting = (one for one in reasons if name in one["files"] and row["pydicom"].greatest <= one.get("levels", 1))
    return next((one["why"] for one in fitting), "")


def unique_files(folders):
    found = {}
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            with open(path, "rb") as file:
                found.setdefault(hashlib.file_digest(file, "sha256").hexdigest(), path)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the command bedside")
    parser.add_argument("--files", type=pathlib.Path, nargs="+", required=True, help="folders with DICOM files")
    parser.add_argument("--to", type=pathlib.Path, required=True, help="where the page goes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    reasons = tomllib.loads(pathlib.Path(__file__).with_name("reasons.toml").read_text())["reason"]
    rows = []
    for digest, path in unique_files(arguments.files).items():
        row = compared(arguments.program, path)
        if row:
            row["hash"] = digest
            rows.append(row)
            print(f"{digest[:12]} {path.name}: {group(row)}; {said(row)}", flush=True)
    rows.sort(key=lambda row: (row["file"].lower(), row["hash"]))
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_text(page(rows, reasons))
    unexplained = ("differs by more than one level", "refused by Bedside alone")
    missing = [row["file"] for row in rows if group(row) in unexplained and not reason_of(row, reasons)]
    if missing:
        raise SystemExit("no reason in reasons.toml: " + " ".join(missing))


if __name__ == "__main__":
    main()
