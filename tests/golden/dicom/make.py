"""Writes DICOM files into `cases.bin`, and into `cases.json` what a reader must show of each, or why it must refuse it.

    pip install -r requirements.txt && python make.py

It reads nothing. The files are written byte by byte (PS3.5, PS3.10), because pydicom can't write damaged ones. Every
file with a picture is read back by pydicom: its stored values must be those that were written, and what its functions
show must be what `shown` computes here in float64. Where pydicom differs from the standard or stops, the case says why
(`pydicom_stops`, `modality_differs`), and `shown` alone gives the expected samples.

References: PS3.3 C.7.6.3 (pixels), C.7.9 (palettes), C.11.1 (modality), C.11.2 (window), C.7.5.1.1.2 (padding); PS3.4
N.2 (order of the steps); PS3.5 7 and A (encoding), G (RLE). README.md says what was decided where they leave a choice.
"""

import collections
import io
import json
import logging
import pathlib
import struct
import sys
import warnings
import zlib

import imagecodecs
import jpeg_ls
import numpy as np
import openjpeg
import openjpeg.utils
import pydicom
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi, apply_windowing, pixel_array
from pydicom.uid import UID

HERE = pathlib.Path(__file__).parent

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG = "1.2.840.10008.1.2.2"
JPEG = "1.2.840.10008.1.2.4."
BASELINE, EXTENDED, LOSSLESS, FIRST_ORDER = JPEG + "50", JPEG + "51", JPEG + "57", JPEG + "70"
JPEG_LS, NEAR_LOSSLESS, JPEG_2000_LOSSLESS, JPEG_2000 = JPEG + "80", JPEG + "81", JPEG + "90", JPEG + "91"
RLE = "1.2.840.10008.1.2.5"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"

# What follows writes the structure of DICOM.

UNDEFINED = 0xFFFFFFFF
LONG = {"OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UC", "UR", "UT", "UN", "SV", "UV"}
NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "OV": "Q"}
TAGS = {
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "SamplesPerPixel": (0x00280002, "US"),
    "Photometric": (0x00280004, "CS"),
    "Planar": (0x00280006, "US"),
    "Frames": (0x00280008, "IS"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    "Center": (0x00281050, "DS"),
    "Width": (0x00281051, "DS"),
    "Intercept": (0x00281052, "DS"),
    "Slope": (0x00281053, "DS"),
    "Function": (0x00281056, "CS"),
    "SOPClass": (0x00080016, "UI"),
    "SOPInstance": (0x00080018, "UI"),
    "Modality": (0x00080060, "CS"),
    "PresentationShape": (0x20500020, "CS"),
}
PIXELS = 0x7FE00010


class Sequence:
    """Items, each a list of elements, with the lengths written or not (PS3.5, 7.5)."""

    def __init__(self, *items, defined=True, items_defined=None):
        self.items = items
        self.defined = defined
        self.items_defined = defined if items_defined is None else items_defined


class Fragments:
    """Encapsulated pixels (PS3.5, A.4): the basic offset table, then the fragments."""

    def __init__(self, fragments, table=()):
        self.fragments = fragments
        self.table = table


def named(name, value):
    tag, vr = TAGS[name]
    return (tag, vr, value)


def tag_bytes(tag, big):
    return struct.pack(">HH" if big else "<HH", tag >> 16, tag & 0xFFFF)


def value_bytes(vr, value, explicit, big):
    """(the bytes of a value, whether its length is written)."""
    order = ">" if big else "<"
    if isinstance(value, Sequence):
        out = b""
        for item in value.items:
            body = dataset(item, explicit, big)
            out += tag_bytes(0xFFFEE000, big)
            out += struct.pack(order + "I", len(body) if value.items_defined else UNDEFINED) + body
            if not value.items_defined:
                out += tag_bytes(0xFFFEE00D, big) + bytes(4)
        return (out, True) if value.defined else (out + tag_bytes(0xFFFEE0DD, big) + bytes(4), False)
    if isinstance(value, Fragments):
        pieces = [struct.pack("<%dI" % len(value.table), *value.table), *value.fragments]
        out = b"".join(tag_bytes(0xFFFEE000, big) + struct.pack("<I", len(piece)) + piece for piece in pieces)
        return out + tag_bytes(0xFFFEE0DD, big) + bytes(4), False
    if isinstance(value, str):
        data = value.encode()
        return data + (b"\0" if vr == "UI" else b" ") * (len(data) % 2), True
    if isinstance(value, bytes):
        return value + bytes(len(value) % 2), True
    values = value if isinstance(value, (list, tuple)) else [value]
    return struct.pack("%s%d%s" % (order, len(values), NUMBERS[vr]), *values), True


def element(tag, vr, value, explicit=True, big=False, length=None):
    """An element; `length` is written in place of the right one."""
    order = ">" if big else "<"
    data, known = value_bytes(vr, value, explicit, big)
    length = (len(data) if known else UNDEFINED) if length is None else length
    out = tag_bytes(tag, big)
    if not explicit:
        out += struct.pack(order + "I", length)
    elif vr in LONG:
        out += vr.encode() + bytes(2) + struct.pack(order + "I", length)
    else:
        out += vr.encode() + struct.pack(order + "H", length)
    return out + data


def dataset(elements, explicit=True, big=False):
    """Elements in the order of their tags; bytes stand at the place where they are given."""
    if all(isinstance(each, tuple) for each in elements):
        elements = sorted(elements, key=lambda each: each[0])
    return b"".join(each if isinstance(each, bytes) else element(*each, explicit, big) for each in elements)


def encoded(elements, syntax):
    data = dataset(elements, syntax != IMPLICIT, syntax == BIG)
    if syntax == DEFLATED:
        return deflated(data)
    return data


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    out = packer.compress(data) + packer.flush()
    return out + bytes(len(out) % 2)


def meta(syntax, sop_class=SECONDARY_CAPTURE, group_length=True):
    body = element(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", sop_class)
    body += (
        element(0x00020003, "UI", "2.25.1") + element(0x00020010, "UI", syntax) + element(0x00020012, "UI", "2.25.2")
    )
    return (element(0x00020000, "UL", len(body)) if group_length else b"") + body


def file(elements, syntax=EXPLICIT, preamble=b"", sop_class=SECONDARY_CAPTURE, group_length=True):
    head = preamble.ljust(128, b"\0") + b"DICM" + meta(syntax, sop_class, group_length)
    return head + (elements if isinstance(elements, bytes) else encoded(elements, syntax))


# What follows shows stored values.


def look_up(values, first, entries):
    return np.asarray(entries, dtype=np.int64)[np.clip(values - first, 0, len(entries) - 1)]


def eight_bits(v):
    """floor(v * 255 + 0.5). No value may lie where the order of the computation decides."""
    v = np.asarray(v, dtype=np.float64)
    near = np.abs(v * 255 % 1 - 0.5) < 1e-6
    assert not (near & (v != 0.5)).any(), "a tie: choose other values"
    return np.floor(np.clip(v, 0, 1) * 255 + 0.5).astype(np.uint8)


def limits(spec):
    """The smallest and largest value that the stored bits hold."""
    bits = spec["stored"]
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if spec.get("signed") else (0, (1 << bits) - 1)


def modality(values, spec):
    if "modality_lut" in spec:
        first, _, entries = spec["modality_lut"]
        return look_up(values, first, entries)
    if "slope" in spec:
        return np.asarray(values, dtype=np.float64) * float(spec["slope"]) + float(spec["intercept"])
    return values


def modality_range(spec):
    if "modality_lut" in spec:
        return 0, (1 << spec["modality_lut"][1]) - 1
    return sorted(float(value) for value in modality(np.array(limits(spec)), spec))


def windowed(m, center, width, function):
    """0..1 by PS3.3, C.11.2.1.2 and C.11.2.1.3."""
    m = np.asarray(m, dtype=np.float64)
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (m - center) / width))
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    low, high = m <= center - width / 2, m > center + width / 2
    inside = (m - center) / width + 0.5 if width else np.zeros(m.shape)
    return np.where(low, 0.0, np.where(high, 1.0, inside))


def voi_of(spec, window):
    """("lut", index), ("window", center, width) or None: what is to be applied."""
    if isinstance(window, dict):
        return ("window", window["center"], window["width"])
    if spec.get("voi_luts"):
        return ("lut", window or 0)
    if window is None and spec.get("windows") == [("0", "0")]:
        return None
    if spec.get("windows"):
        return ("window", *[float(value) for value in spec["windows"][window or 0]])
    return None


def shown(values, spec, window=None):
    """The 8-bit samples of stored values of one grey frame."""
    values = np.asarray(values, dtype=np.int64)
    m = modality(values, spec)
    voi = voi_of(spec, window)
    if voi is None:
        low, high = modality_range(spec)
        v = (m - low) / (high - low)
    elif voi[0] == "lut":
        first, bits, entries = spec["voi_luts"][voi[1]]
        assert np.array_equal(m, np.asarray(m, dtype=np.int64)), "a VOI LUT needs integers"
        v = look_up(np.asarray(m, dtype=np.int64), first, entries) / ((1 << bits) - 1)
    else:
        v = windowed(m, voi[1], voi[2], spec.get("function", "LINEAR"))
    out = eight_bits(1 - v if spec["photometric"] == "MONOCHROME1" else v)
    return black(out, values, spec)


def black(out, values, spec):
    if "padding" in spec:
        ends = sorted([spec["padding"], spec.get("padding_limit", spec["padding"])])
        out = np.where((values >= ends[0]) & (values <= ends[1]), 0, out)
    return out.astype(np.uint8)


def shown_by_pydicom(ds, values, spec, window):
    """The same by pydicom's functions; its output is brought to 0..1 by the range that it documents."""
    stored = values
    m = apply_modality_lut(values, ds)
    voi = voi_of(spec, window)
    low, high = modality_range(spec)
    if voi is None:
        v = (m - low) / (high - low)
    elif voi[0] == "lut":
        m = m.astype(np.int64) if m.dtype.kind == "f" else m
        v = apply_voi(m, ds, voi[1]) / ((1 << spec["voi_luts"][voi[1]][1]) - 1)
    else:
        index = window or 0
        if isinstance(window, dict):
            ds.WindowCenter, ds.WindowWidth, index = voi[1], voi[2], 0
        with np.errstate(divide="ignore", invalid="ignore"):
            out = apply_windowing(m, ds, index)
        if "slope" in spec and float(spec["slope"]) < 0:
            low, high = high, low
        v = (out - low) / (high - low)
    if ds.PhotometricInterpretation == "MONOCHROME1":
        v = 1 - v
    return black(eight_bits(v), stored.astype(np.int64), spec)


# What follows makes pictures and their elements.

RNG = np.random.default_rng(20260301)


def pattern(height, width, low, high, seed=0):
    """Integers from `low` to `high`, both there: a slope, a disc and noise."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    wave = (x / max(width - 1, 1) + y / max(height - 1, 1)) / 2
    disc = ((x - width * 0.6) ** 2 + (y - height * 0.4) ** 2) < (min(height, width) * 0.3) ** 2
    noise = np.random.default_rng(1000 + seed).random((height, width))
    v = np.clip(0.75 * wave + 0.2 * disc + 0.15 * (noise - 0.5) + 0.04, 0, 1)
    out = np.floor(low + v * (high - low) + 0.5).astype(np.int64)
    out[0, :2] = [low, high]
    return out


def smooth(height, width, low, high, turn=0.0):
    """The same without noise and edges, for lossy compression."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    v = 0.5 + 0.25 * np.sin(x / width * 3 + turn) + 0.2 * np.cos(y / height * 4 + 2 * turn)
    return np.floor(low + v * (high - low) + 0.5).astype(np.int64)


def colors(height, width, seed=0):
    return np.stack(
        [pattern(height, width, 0, 255, seed + k)[:: (1, -1, 1)[k], :: (1, 1, -1)[k]] for k in range(3)], -1
    )


def soft_colors(height, width):
    return np.stack([smooth(height, width, 30, 225, turn) for turn in (0.0, 1.1, 2.3)], -1)


def native(values, bits, big=False, high=None, stored=None, above=None):
    """Samples as bytes. `high` shifts them; `above` fills the bits that are not stored."""
    values = np.asarray(values, dtype=np.int64).reshape(-1)
    if bits == 1:
        return np.packbits(values.astype(np.uint8), bitorder="little").tobytes()
    stored = stored or bits
    shift = 0 if high is None else high + 1 - stored
    mask = (1 << stored) - 1
    words = (values & (mask if above is not None or shift else (1 << bits) - 1)) << shift
    if above is not None:
        words |= np.asarray(above, dtype=np.int64).reshape(-1) & ~(mask << shift) & ((1 << bits) - 1)
    return words.astype((">" if big else "<") + "u%d" % (bits // 8)).tobytes()


def lut_item(lut, signed_first=False, data_vr="US", big=False, packed=False):
    first, bits, entries = lut
    count = len(entries) % 65536
    signed = signed_first or first < 0
    descriptor = struct.pack(
        (">" if big else "<") + "HhH" if signed else (">" if big else "<") + "HHH", count, first, bits
    )
    if packed:
        data = bytes(int(entry) for entry in entries) + bytes(len(entries) % 2)
    else:
        data = struct.pack("%s%dH" % (">" if big else "<", len(entries)), *[int(entry) for entry in entries])
    return [(0x00283002, "SS" if signed else "US", descriptor), (0x00283006, data_vr, data)]


def picture(spec, pixels=None, **changes):
    """The elements of a picture. A change of None leaves one out."""
    big = spec.get("syntax") == BIG
    signed = spec.get("signed", 0)
    fields = {
        "SOPClass": SECONDARY_CAPTURE,
        "SOPInstance": "2.25.1",
        "Modality": "OT",
        "SamplesPerPixel": spec.get("samples", 1),
        "Photometric": spec["photometric"],
        "Rows": spec["height"],
        "Columns": spec["width"],
        "BitsAllocated": spec["bits"],
        "BitsStored": spec["stored"],
        "HighBit": spec.get("high", spec["stored"] - 1),
        "PixelRepresentation": signed,
    }
    if "planar" in spec:
        fields["Planar"] = spec["planar"]
    if "frames" in spec:
        fields["Frames"] = str(spec["frames"])
    if "slope" in spec:
        fields["Slope"], fields["Intercept"] = spec["slope"], spec["intercept"]
    if spec.get("windows"):
        fields["Center"] = "\\".join(each[0] for each in spec["windows"])
        fields["Width"] = "\\".join(each[1] for each in spec["windows"])
    if "function" in spec:
        fields["Function"] = spec["function"]
    fields.update(changes)
    out = [named(name, value) for name, value in fields.items() if value is not None]
    vr = "SS" if signed else "US"
    if "padding" in spec:
        out.append((0x00280120, vr, spec["padding"]))
    if "padding_limit" in spec:
        out.append((0x00280121, vr, spec["padding_limit"]))
    lut_options = dict(spec.get("lut_options", {}), big=big)
    if "modality_lut" in spec:
        item = lut_item(spec["modality_lut"], bool(signed), **lut_options)
        out.append((0x00283000, "SQ", Sequence(item + [(0x00283004, "LO", "US")])))
    if "voi_luts" in spec:
        items = [lut_item(lut, spec.get("voi_signed", bool(signed)), **lut_options) for lut in spec["voi_luts"]]
        out.append((0x00283010, "SQ", Sequence(*items, defined=False)))
    out += spec.get("extra", [])
    if pixels is not None:
        out.append((PIXELS, spec.get("vr", "OB" if spec["bits"] == 8 else "OW"), pixels))
    return out


def grey_spec(values, bits=8, stored=None, **rest):
    height, width = values.shape[-2:]
    return dict(photometric="MONOCHROME2", bits=bits, stored=stored or bits, height=height, width=width) | rest


def color_spec(values, photometric="RGB", **rest):
    height, width = values.shape[-3:-1]
    return dict(photometric=photometric, bits=8, stored=8, height=height, width=width, samples=3, planar=0) | rest


# What follows collects the cases.

CASES = []
BYTES = bytearray()
CHECKED = collections.Counter()
NOT_CHECKED = []


def place(data):
    """Where these bytes lie. Bytes that lie there already are not written again."""
    offset = BYTES.find(data)
    if offset < 0:
        offset = len(BYTES)
        BYTES.extend(data)
    return {"offset": offset, "length": len(data)}


def case(name, data, expected=None, tolerance=0, frame=0, window=None, error=None, looked_at=None):
    assert name not in {each["name"] for each in CASES}, name
    assert expected is not None or error is not None, name
    out = {"name": name} | place(data)
    if frame:
        out["frame"] = frame
    if window is not None:
        out["window"] = window
    if expected is not None:
        expected = np.asarray(expected)
        assert expected.dtype == np.uint8, (name, expected.dtype)
        channels = expected.shape[2] if expected.ndim == 3 else 1
        size = {"width": expected.shape[1], "height": expected.shape[0], "channels": channels}
        out["expected"] = size | place(expected.tobytes()) | {"tolerance": tolerance}
    if error is not None:
        out["error"] = error
    if looked_at is not None:
        out["looked_at"] = looked_at
    CASES.append(out)


def refused(name, data, kind, *says, frame=0, window=None):
    error = {"kind": kind} if kind else {}
    case(name, data, error=error | ({"says": list(says)} if says else {}), frame=frame, window=window)


def by_sums_alone(name, why, *checks):
    """Notes that pydicom does not agree. It must be so."""
    try:
        for check in checks:
            check()
    except Exception:
        NOT_CHECKED.append((name, why))
        return
    raise AssertionError(f"{name}: pydicom agrees: {why}")


def read(data, syntax=None):
    ds = pydicom.dcmread(io.BytesIO(data), force=True)
    if not getattr(ds, "file_meta", None) or "TransferSyntaxUID" not in ds.file_meta:
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = UID(syntax)
    return ds


def grey(
    name,
    values,
    spec=None,
    syntax=EXPLICIT,
    data=None,
    pixels=None,
    frame=0,
    window=None,
    tolerance=0,
    pydicom_stops=None,
    modality_differs=None,
    big_words=False,
    **rest,
):
    """A case of grey pixels. `values` are those stored, one frame or several."""
    values = np.asarray(values, dtype=np.int64)
    spec = (spec or grey_spec(values)) | rest | {"syntax": syntax}
    if values.ndim == 3:
        spec.setdefault("frames", len(values))
    if data is None:
        if pixels is None:
            pixels = native(values, spec["bits"], syntax == BIG)
        data = file(picture(spec, pixels), syntax)
    one = values[frame] if values.ndim == 3 else values
    expected = shown(one, spec, window)
    stored = []

    def check_stored():
        ds = read(data, syntax)
        # pydicom can't take one frame of 1 bit that begins within a byte.
        stored.append(pixel_array(ds)[frame] if frame and spec["bits"] == 1 else pixel_array(ds, index=frame))
        np.testing.assert_array_less(np.abs(stored[0].astype(np.int64) - one), 1 + spec.get("codec_margin", 0), name)

    def check_shown():
        by_pydicom = shown_by_pydicom(read(data, syntax), stored[0], spec, window)
        np.testing.assert_array_less(np.abs(by_pydicom.astype(int) - expected), 1 + tolerance, name)

    if pydicom_stops:
        by_sums_alone(name, pydicom_stops, check_stored, check_shown)
    else:
        check_stored()
        if modality_differs:
            by_sums_alone(name, modality_differs, check_shown)
        else:
            check_shown()
        CHECKED["grey"] += 1
    case(name, data, expected, tolerance, frame, window)


def color(
    name,
    expected,
    spec,
    pixels,
    syntax=EXPLICIT,
    tolerance=0,
    frame=0,
    pydicom_stops=None,
    margin=None,
    palette=False,
    data=None,
):
    """A case of colours whose samples are known."""
    if data is None:
        data = file(picture(spec | {"syntax": syntax}, pixels), syntax)

    def check():
        ds = read(data, syntax)
        found = pixel_array(ds, index=frame)
        found = apply_color_lut(found, ds) if palette else found
        found = found if found.dtype == np.uint8 else to_byte(found)
        np.testing.assert_array_less(
            np.abs(found.astype(int) - expected), 1 + (tolerance if margin is None else margin), name
        )

    if pydicom_stops:
        by_sums_alone(name, pydicom_stops, check)
    else:
        check()
        CHECKED["color"] += 1
    case(name, data, np.asarray(expected).astype(np.uint8), tolerance, frame)


# What follows are the cases: how a data set is written.

HEIGHT, WIDTH = 10, 14
A8 = pattern(HEIGHT, WIDTH, 0, 255, 1)
ODD = pattern(11, 17, 0, 255, 2)
A12 = pattern(HEIGHT, WIDTH, 0, 4095, 3)
A16 = pattern(HEIGHT, WIDTH, 0, 65535, 4)
S16 = pattern(HEIGHT, WIDTH, -32768, 32767, 5)
S12 = pattern(HEIGHT, WIDTH, -2048, 2047, 6)
CT = pattern(HEIGHT, WIDTH, -1024, 3071, 7)
RGB = colors(HEIGHT, WIDTH, 10)
THREE = np.stack([pattern(11, 13, 0, 255, 20 + k)[:: (1, -1, 1)[k], :: (1, 1, -1)[k]] for k in range(3)])


def syntaxes():
    for syntax, name in [(IMPLICIT, "implicit"), (EXPLICIT, "explicit"), (DEFLATED, "deflated"), (BIG, "big-endian")]:
        sixteen = grey_spec(A12, 16, 12, windows=[("2000", "3000")])
        grey(f"{name}, 16 bits", A12, sixteen, syntax)
        grey(f"{name}, 16 bits, signed", S16, grey_spec(S16, 16, signed=1), syntax)
        if syntax != BIG:
            vr = "OW" if syntax == IMPLICIT else "OB"
            grey(f"{name}, 8 bits, odd size", ODD, grey_spec(ODD, vr=vr), syntax)
            color(f"{name}, RGB", RGB, color_spec(RGB, vr=vr), native(RGB, 8), syntax)

    def swapped(values):
        data = native(values, 8)
        return np.frombuffer(data + bytes(len(data) % 2), ">u2").astype("<u2").tobytes()

    grey("big-endian, 8 bits in OW", A8, grey_spec(A8, vr="OW"), BIG, pixels=swapped(A8))
    grey("big-endian, 8 bits in OW, odd size", ODD, grey_spec(ODD, vr="OW"), BIG, pixels=swapped(ODD))
    grey("big-endian, 8 bits in OB", A8, grey_spec(A8, vr="OB"), BIG, pixels=native(A8, 8))
    color("big-endian, RGB in OW", RGB, color_spec(RGB, vr="OW"), swapped(RGB), BIG)
    frames = THREE
    grey(
        "big-endian, 8 bits in OW, odd frames", frames, grey_spec(frames, vr="OW"), BIG, pixels=swapped(frames), frame=1
    )
    grey("explicit, 8 bits in OW", A8, grey_spec(A8, vr="OW"))
    grey("explicit, 8 bits in UN", A8, grey_spec(A8, vr="UN"))

    # PS3.10 7.1 asks for preamble and meta header; files before 1993, and many in archives, have neither.
    for syntax, name in [(IMPLICIT, "implicit"), (EXPLICIT, "explicit")]:
        spec = grey_spec(A12, 16, 12)
        elements = picture(spec, native(A12, 16))
        grey(f"no preamble, no meta header, {name}", A12, spec, syntax, data=encoded(elements, syntax))
    spec = grey_spec(A8)
    elements = picture(spec, native(A8, 8))
    body = encoded(elements, EXPLICIT)
    grey("preamble, no meta header", A8, spec, IMPLICIT, data=bytes(128) + b"DICM" + encoded(elements, IMPLICIT))
    grey("meta header, no preamble", A8, spec, data=meta(EXPLICIT) + body)
    tiff = b"II*\0" + struct.pack("<IH", 8, 0)
    grey("preamble of a TIFF, little-endian", A8, spec, data=file(elements, preamble=tiff))
    grey("preamble of a TIFF, big-endian", A8, spec, data=file(elements, preamble=b"MM\0*" + struct.pack(">IH", 8, 0)))
    grey("preamble of a JPEG", A8, spec, data=file(elements, preamble=b"\xff\xd8\xff\xe0\0\x10JFIF\0"))
    grey("meta header without group length", A8, spec, data=file(elements, group_length=False))
    head = bytes(128) + b"DICM"
    private = (
        meta(EXPLICIT, group_length=False) + element(0x00020013, "SH", "BEDSIDE") + element(0x00020100, "UI", "2.25.3")
    )
    private += element(0x00020102, "OB", bytes(range(50)))
    grey(
        "meta header with private information",
        A8,
        spec,
        data=head + element(0x00020000, "UL", len(private)) + private + body,
    )
    spaces = meta(EXPLICIT).replace(element(0x00020010, "UI", EXPLICIT), element(0x00020010, "UI", EXPLICIT + " "))
    grey("transfer syntax padded with a space", A8, spec, data=head + spaces + body)
    padded = file(picture(spec | {"extra": [(0xFFFCFFFC, "OB", bytes(30))]}, native(A8, 8)))
    grey("trailing padding", A8, spec, data=padded)
    lengths = [(0x00080000, "UL", 62), (0x00280000, "UL", 100)]
    grey("group lengths", A8, spec | {"extra": lengths})
    grey("group lengths that are wrong", A8, spec | {"extra": [(0x00080000, "UL", 7), (0x00280000, "UL", 0xFFFFFF0)]})
    grey("elements after the pixels", A8, spec | {"extra": [(0xFFFAFFFA, "SQ", Sequence([(0x00280010, "US", 3)]))]})
    text = [(0x00080005, "CS", "ISO_IR 192"), (0x00100020, "LO", "Номер 5"), (0x00104000, "LT", "Rows \\ Columns")]
    grey("text that is not ASCII", A8, spec | {"extra": text})
    long = [
        (0x00189999, "UT", "x" * 1001),
        (0x00091001, "UN", bytes(70)),
        (0x00280009, "AT", struct.pack("<HH", 0x18, 0x1063)),
    ]
    grey("long value representations", A8, spec | {"extra": long})
    grey("number of frames with spaces", THREE, grey_spec(THREE, frames=" 3  "), frame=2)
    grey("number of frames empty", A8, grey_spec(A8, frames=""))
    either("number of frames 0", file(picture(grey_spec(A8, frames=0), native(A8, 8))), A8)

    # Sequences before the pixels. The icon has pixels of its own (PS3.3, C.7.6.1.1.6).
    icon = [
        (0x00280002, "US", 1),
        (0x00280004, "CS", "MONOCHROME1"),
        (0x00280010, "US", 4),
        (0x00280011, "US", 4),
        (0x00280100, "US", 8),
        (0x00280101, "US", 8),
        (0x00280102, "US", 7),
        (0x00280103, "US", 0),
        (PIXELS, "OB", bytes(range(16))),
    ]
    code = [(0x00080100, "SH", "T-04000"), (0x00080102, "SH", "SRT"), (0x00080104, "LO", "Breast")]
    private = [
        (0x00090010, "LO", "BEDSIDE 1"),
        (0x00091001, "SQ", Sequence(code, code)),
        (0x00091002, "OB", b"\xfe\xff\x0d\xe0"),
    ]
    for syntax, what in [(EXPLICIT, "explicit"), (IMPLICIT, "implicit"), (BIG, "big-endian"), (DEFLATED, "deflated")]:
        for defined, how in [(True, "defined"), (False, "undefined")]:
            deep = Sequence(code, defined=not defined)
            for _ in range(4):
                deep = Sequence([(0x00081115, "SQ", deep)] + code, [], defined=defined, items_defined=not defined)
            extra = [
                (0x00081140, "SQ", deep),
                (0x00080096, "SQ", Sequence(defined=defined)),
                (0x00082112, "SQ", Sequence([], private, defined=defined)),
                *private,
                (0x00880200, "SQ", Sequence(icon, defined=defined)),
            ]
            vr = "OB" if syntax == EXPLICIT else "OW"
            spec = grey_spec(A12, 16, 12, extra=extra)
            grey(f"sequences of {how} length, {what}", A12, spec, syntax)
    # CP-246 (PS3.5, 6.2.2): UN of undefined length is a sequence in implicit VR.
    inner = value_bytes(
        "SQ", Sequence(code, [(0x00091003, "SQ", Sequence(code, defined=False))], defined=False), False, False
    )[0]
    unknown = tag_bytes(0x00091010, False) + b"UN\0\0" + struct.pack("<I", UNDEFINED) + inner
    # The bytes stand where group 0009 belongs.
    parts = picture(grey_spec(A8), native(A8, 8))
    early = [each for each in parts if each[0] < 0x00090000]
    late = [each for each in parts if each[0] > 0x00090000]
    data = file(dataset(early) + element(0x00090010, "LO", "BEDSIDE 1") + unknown + dataset(late))
    grey("UN of undefined length", A8, grey_spec(A8), data=data)
    known = (0x00091010, "UN", value_bytes("SQ", Sequence(code), False, False)[0])
    grey("UN of defined length with a sequence", A8, grey_spec(A8, extra=[(0x00090010, "LO", "BEDSIDE 1"), known]))
    # A sequence whose items hold tags of the picture: only those of the data set count.
    other = [
        (0x00280010, "US", 99),
        (0x00280011, "US", 99),
        (0x00281050, "DS", "1"),
        (0x00281051, "DS", "2"),
        (0x00280004, "CS", "MONOCHROME1"),
    ]
    for defined in (True, False):
        extra = [(0x00081140, "SQ", Sequence(other, defined=defined))]
        grey(f"picture tags within a sequence, {'un' * (not defined)}defined length", A8, grey_spec(A8, extra=extra))
    deep = Sequence(code, defined=False)
    for _ in range(1000):
        deep = Sequence([(0x00081140, "SQ", deep)], defined=False, items_defined=True)
    sys.setrecursionlimit(20000)
    data = file(picture(grey_spec(A8, extra=[(0x00081140, "SQ", deep)]), native(A8, 8)), IMPLICIT)
    either("sequences 1000 deep", data, A8)


def either(name, data, values):
    """A case that may be shown or refused."""
    case(name, data, shown(values, grey_spec(values)), error={})


def bits():
    one = (pattern(HEIGHT, WIDTH, 0, 255, 30) > 120).astype(np.int64)
    grey("1 bit", one, grey_spec(one, 1, vr="OB"))
    grey("1 bit in OW", one, grey_spec(one, 1, vr="OW"))
    grey("1 bit, implicit", one, grey_spec(one, 1, vr="OW"), IMPLICIT)
    grey("1 bit, MONOCHROME1", one, grey_spec(one, 1, vr="OB", photometric="MONOCHROME1"))
    small = (THREE > 120).astype(np.int64)
    for frame in range(3):
        # 143 bits a frame: the second begins within a byte (PS3.5, 8.2).
        grey(f"1 bit, 11 x 13, frame {frame}", small, grey_spec(small, 1, vr="OB"), frame=frame)
    for stored, high in [(8, 7), (6, 5), (1, 0)]:
        values = pattern(HEIGHT, WIDTH, 0, (1 << stored) - 1, 31 + stored)
        if stored != 8:
            grey(f"8 bits, {stored} stored", values, grey_spec(values, 8, stored))
    signed = pattern(HEIGHT, WIDTH, -128, 127, 40)
    grey("8 bits, signed", signed, grey_spec(signed, signed=1))
    grey("8 bits, signed, window", signed, grey_spec(signed, signed=1, windows=[("-10", "100")]))
    for stored in (8, 10, 12, 15, 16):
        values = pattern(HEIGHT, WIDTH, 0, (1 << stored) - 1, 50 + stored)
        grey(f"16 bits, {stored} stored", values, grey_spec(values, 16, stored))
        values = pattern(HEIGHT, WIDTH, -(1 << stored - 1), (1 << stored - 1) - 1, 70 + stored)
        if stored != 16:
            grey(f"16 bits, {stored} stored, signed", values, grey_spec(values, 16, stored, signed=1))
            grey(
                f"16 bits, {stored} stored, signed, not sign-extended",
                values,
                grey_spec(values, 16, stored, signed=1),
                pixels=native(values, 16, stored=stored, high=stored - 1, above=np.zeros(values.shape)),
            )
    # PS3.5 8.1.1: what the unused bits hold is not specified; there were overlays.
    overlay = RNG.integers(0, 65536, A12.shape)
    extra = [
        (0x60000010, "US", HEIGHT),
        (0x60000011, "US", WIDTH),
        (0x60000040, "CS", "G"),
        (0x60000050, "SS", [1, 1]),
        (0x60000100, "US", 16),
        (0x60000102, "US", 15),
    ]
    for values, sign in [(A12, 0), (S12, 1)]:
        spec = grey_spec(values, 16, 12, signed=sign, extra=extra, windows=[("100", "1500")])
        grey(
            f"overlay in the unused bits{', signed' * sign}",
            values,
            spec,
            pixels=native(values, 16, stored=12, above=overlay, high=11),
        )
    plane = extra[:4] + [(0x60000100, "US", 1), (0x60000102, "US", 0), (0x60003000, "OW", bytes(range(24)))]
    grey("overlay of its own", A8, grey_spec(A8, extra=plane))
    high = "pydicom takes the lowest bits whatever High Bit says (PS3.5, 8.1.1)"
    for values, sign in [(A12, 0), (S12, 1)]:
        spec = grey_spec(values, 16, 12, signed=sign, high=15)
        grey(
            f"12 stored, high bit 15{', signed' * sign}",
            values,
            spec,
            pixels=native(values, 16, stored=12, high=15),
            pydicom_stops=high,
        )
    spec = grey_spec(A12, 16, 12, high=13)
    grey(
        "12 stored, high bit 13, other bits set",
        A12,
        spec,
        pydicom_stops=high,
        pixels=native(A12, 16, stored=12, high=13, above=overlay),
    )
    spec = grey_spec(A12, 16, 12, high=15, syntax=BIG)
    grey(
        "12 stored, high bit 15, big-endian",
        A12,
        spec,
        BIG,
        pixels=native(A12, 16, True, stored=12, high=15),
        pydicom_stops=high,
    )
    grey("a row of one pixel", A8[:1, 4:5], grey_spec(A8[:1, 4:5]))
    grey("one column", A8[:, 4:5], grey_spec(A8[:, 4:5]))
    grey("one row, 16 bits", A16[3:4], grey_spec(A16[3:4], 16))
    grey("pixels longer than declared", A8, pixels=native(A8, 8) + bytes(10))


def values():
    ct = {"bits": 16, "stored": 12, "slope": "1", "intercept": "-1024"}
    grey("rescale", A12, grey_spec(A12, **ct))
    grey("rescale and window", A12, grey_spec(A12, **ct, windows=[("40", "400")]))
    grey("rescale of signed pixels", CT, grey_spec(CT, 16, signed=1, slope="1", intercept="0", windows=[("40", "400")]))
    negative = dict(bits=16, stored=12, slope="-1", intercept="4095")
    grey("rescale, negative slope", A12, grey_spec(A12, **negative))
    grey("rescale, negative slope and window", A12, grey_spec(A12, **negative, windows=[("1000", "1600")]))
    grey("rescale, negative slope, MONOCHROME1", A12, grey_spec(A12, **negative, photometric="MONOCHROME1"))
    fraction = dict(bits=16, stored=12, slope="0.0372549", intercept="-7.5")
    grey("rescale, fractional slope", A12, grey_spec(A12, **fraction))
    grey("rescale, fractional slope and window", A12, grey_spec(A12, **fraction, windows=[("61.3", "70.9")]))
    grey(
        "rescale, exponent",
        A12,
        grey_spec(A12, 16, 12, slope=" 2.5e-1", intercept="-1.2E+2", windows=[("300.5", "+600.0")]),
    )
    grey("rescale, 8 bits", A8, grey_spec(A8, slope="2", intercept="-100", windows=[("150", "300")]))

    for center, width in [
        ("2000", "3000"),
        ("2047.5", "1"),
        ("1500", "2"),
        ("-50", "1000"),
        ("5000", "1000"),
        ("2048", "4096"),
        ("128.25", "100000"),
    ]:
        grey(f"window {center}, {width}", A12, grey_spec(A12, 16, 12, windows=[(center, width)]))
    for center, width in [("2000", "3001"), ("2000.25", "0.5"), ("1000", "1")]:
        grey(
            f"LINEAR_EXACT {center}, {width}",
            A12,
            grey_spec(A12, 16, 12, windows=[(center, width)], function="LINEAR_EXACT"),
        )
    for center, width in [("2000", "1200"), ("2000", "0.5"), ("-100", "3000")]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            grey(
                f"SIGMOID {center}, {width}", A12, grey_spec(A12, 16, 12, windows=[(center, width)], function="SIGMOID")
            )
    grey("LINEAR, named", A12, grey_spec(A12, 16, 12, windows=[("2000", "3000")], function="LINEAR"))
    grey(
        "SIGMOID of rescaled values, MONOCHROME1",
        A12,
        grey_spec(A12, **ct, windows=[("300", "700")], function="SIGMOID", photometric="MONOCHROME1"),
    )
    several = grey_spec(
        A12,
        16,
        12,
        windows=[("2000", "3000"), ("1000", "800"), ("3100.5", "90")],
        extra=[(0x00281055, "LO", "WIDE\\SOFT\\BONE")],
    )
    grey("the first of three windows", A12, several)
    uneven = grey_spec(A12, 16, 12, windows=[(" 2000 ", "3000.0")])
    grey(
        "two centers and one width",
        A12,
        uneven,
        data=file(picture(uneven, native(A12, 16), Center=" 2000 \\100", Width="3000.0")),
    )
    for index in (0, 1, 2):
        grey(f"three windows, {index} chosen", A12, several, window=index)
    refused("three windows, the fourth chosen", file(picture(several, native(A12, 16))), None, "window", window=3)
    grey("a window of one's own", A12, several, window={"center": 1234, "width": 1000})
    grey("a window of one's own, with fractions", A12, grey_spec(A12, **ct), window={"center": 61.25, "width": 350.5})
    grey("a window of one's own, width 1", A12, grey_spec(A12, **ct), window={"center": 100, "width": 1})
    grey("one window chosen", A8, grey_spec(A8, windows=[("100", "120")]), window=0)

    def empty(name, pydicom_stops=None, **fields):
        spec = grey_spec(A12, 16, 12)
        data = file(picture(spec, native(A12, 16), **fields))
        grey(name, A12, spec, data=data, pydicom_stops=pydicom_stops)

    empty("empty window", Center="", Width="")
    empty("empty center alone", Center="", Width="400")
    empty("center without width", Center="40")
    empty(
        "empty function and rescale",
        pydicom_stops="pydicom refuses an empty Rescale Slope",
        Function="",
        Slope="",
        Intercept="",
    )
    spec = grey_spec(A12, 16, 12)
    sequences = [(0x00283000, "SQ", Sequence()), (0x00283010, "SQ", Sequence(defined=False))]
    grey("empty LUT sequences", A12, grey_spec(A12, 16, 12, extra=sequences))
    windowed_too = grey_spec(A12, 16, 12, windows=[("2000", "3000")], extra=sequences)
    grey("empty LUT sequences and a window", A12, windowed_too)
    spec = grey_spec(A12, 16, 12, windows=[("2000", "3000")], function="")
    # PS3.3 C.11.2: an absent function is LINEAR, and an empty one counts as absent.
    grey(
        "empty function with a window",
        A12,
        spec | {"function": "LINEAR"},
        data=file(picture(spec, native(A12, 16))),
        pydicom_stops="pydicom refuses an empty VOI LUT Function",
    )
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        for shape in ("IDENTITY", "INVERSE"):
            spec = grey_spec(
                A12,
                16,
                12,
                windows=[("2000", "3000")],
                photometric=photometric,
                extra=[named("PresentationShape", shape)],
            )
            grey(f"{photometric}, presentation LUT shape {shape}", A12, spec)
    grey("MONOCHROME1, 8 bits", A8, grey_spec(A8, photometric="MONOCHROME1"))
    ct_one = grey_spec(A12, **ct, windows=[("40", "400")], photometric="MONOCHROME1")
    grey("MONOCHROME1, rescale and window", A12, ct_one)


def tables():
    eight = (np.arange(256) ** 1.5 / 256**0.5).astype(int)
    steps = np.floor(4095 * (np.arange(120) / 119) ** 2 + 0.5).astype(int)
    sixteen = np.floor(65535 * np.sqrt(np.arange(150) / 149) + 0.5).astype(int)
    long = np.floor(65535 * (np.arange(1500) / 1499) ** 0.7 + 0.5).astype(int)
    small = pattern(HEIGHT, WIDTH, 0, 255, 80)
    ten = pattern(HEIGHT, WIDTH, 0, 1023, 81)
    near = pattern(HEIGHT, WIDTH, -100, 255, 82)
    grey("modality LUT, 8 bits", small, grey_spec(small, modality_lut=(0, 8, eight)))
    grey("modality LUT, 16 bits", ten, grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen)))
    grey(
        "modality LUT, 16 bits in OW",
        ten,
        grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen), lut_options={"data_vr": "OW"}),
    )
    grey("modality LUT, big-endian", ten, grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen)), BIG)
    grey(
        "modality LUT, big-endian, in OW",
        ten,
        grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen), lut_options={"data_vr": "OW"}),
        BIG,
    )
    grey("modality LUT, implicit", ten, grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen)), IMPLICIT)
    grey("modality LUT, first value signed", near, grey_spec(near, 16, 12, signed=1, modality_lut=(-20, 16, sixteen)))
    grey(
        "modality LUT, first value signed, implicit",
        near,
        grey_spec(near, 16, 12, signed=1, modality_lut=(-20, 16, sixteen)),
        IMPLICIT,
    )
    grey(
        "modality LUT and window",
        ten,
        grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen), windows=[("30000", "40000")]),
    )
    grey("modality LUT and MONOCHROME1", small, grey_spec(small, modality_lut=(0, 8, eight), photometric="MONOCHROME1"))
    packed = grey_spec(small, modality_lut=(0, 8, eight), lut_options={"data_vr": "OW", "packed": True})
    # PS3.3 C.11.1.1: 8-bit entries lie as samples with 8 bits allocated do.
    grey(
        "modality LUT, 8 bits, two entries a word",
        small,
        packed,
        modality_differs="pydicom takes each entry of a LUT in OW for 16 bits (PS3.3, C.11.1.1)",
    )
    odd = grey_spec(small, modality_lut=(10, 8, eight[:101]), lut_options={"data_vr": "OW", "packed": True})
    grey(
        "modality LUT, 101 entries, two a word",
        small,
        odd,
        modality_differs="pydicom takes each entry of a LUT in OW for 16 bits (PS3.3, C.11.1.1)",
    )

    grey("VOI LUT, 12 bits", ten, grey_spec(ten, 16, 10, voi_luts=[(300, 12, steps)]))
    grey("VOI LUT, 16 bits", ten, grey_spec(ten, 16, 10, voi_luts=[(0, 16, sixteen)]))
    grey(
        "VOI LUT, 16 bits in OW",
        ten,
        grey_spec(ten, 16, 10, voi_luts=[(0, 16, sixteen)], lut_options={"data_vr": "OW"}),
    )
    grey("VOI LUT, 8 bits", small, grey_spec(small, voi_luts=[(0, 8, eight)]))
    grey(
        "VOI LUT, 8 bits, 300 entries",
        ten,
        grey_spec(ten, 16, 10, voi_luts=[(100, 8, np.arange(300) * 255 // 299)]),
        modality_differs="pydicom wraps the index of a LUT with 8-bit entries at 256 (PS3.3, C.11.2.1.1)",
    )
    grey("VOI LUT, 1500 entries", A12, grey_spec(A12, 16, 12, voi_luts=[(0, 16, long)]), BIG)
    two = grey_spec(ten, 16, 10, voi_luts=[(300, 12, steps), (0, 16, sixteen)])
    grey("two VOI LUTs, the second chosen", ten, two, window=1)
    both = two | {"windows": [("500", "600"), ("100", "300"), ("700", "100")]}
    grey("VOI LUT and window", ten, both)
    grey(
        "VOI LUT and a window of one's own",
        ten,
        both | {"voi_luts": two["voi_luts"]},
        window={"center": 300, "width": 400},
    )
    grey(
        "VOI LUT after rescale",
        ten,
        grey_spec(ten, 16, 10, slope="2", intercept="-500", voi_luts=[(-100, 12, steps)], voi_signed=True),
    )
    grey(
        "VOI LUT after a modality LUT",
        ten,
        grey_spec(ten, 16, 10, modality_lut=(400, 16, sixteen // 64), voi_luts=[(500, 12, steps)]),
    )
    grey("VOI LUT and MONOCHROME1", ten, grey_spec(ten, 16, 10, voi_luts=[(300, 12, steps)], photometric="MONOCHROME1"))
    grey("VOI LUT of signed pixels", near, grey_spec(near, 16, 12, signed=1, voi_luts=[(-50, 12, steps)]))

    padded = A12.copy()
    padded[:3, :] = 0
    padded[5, 5:9] = 7
    padded[7, :4] = 20
    for photometric in ("MONOCHROME1", "MONOCHROME2"):
        one = grey_spec(padded, 16, 12, padding=0, photometric=photometric)
        grey(f"padding, {photometric}", padded, one)
        ranged = grey_spec(
            padded, 16, 12, padding=3, padding_limit=20, photometric=photometric, windows=[("300", "3000")]
        )
        grey(f"padding range, {photometric}", padded, ranged)
    grey("padding range, downwards", padded, grey_spec(padded, 16, 12, padding=20, padding_limit=3))
    outside = CT.copy()
    outside[:, :3] = -2000
    spec = grey_spec(outside, 16, signed=1, padding=-2000, slope="1", intercept="0", windows=[("40", "400")])
    grey("padding, signed, rescale and window", outside, spec | {"photometric": "MONOCHROME1"})
    elements = [each for each in picture(spec, native(outside, 16)) if each[0] != 0x00280120]
    grey(
        "padding, signed pixels, yet its VR is US",
        outside,
        spec,
        data=file(elements + [(0x00280120, "US", 65536 - 2000)]),
    )
    grey("padding, signed, implicit", outside, spec | {"photometric": "MONOCHROME1"}, IMPLICIT)
    grey("padding, big-endian", outside, spec, BIG)
    grey("padding that lies above", A12, grey_spec(A12, 16, 12, padding=4095))
    grey("padding and VOI LUT", padded, grey_spec(padded, 16, 12, padding=0, voi_luts=[(0, 12, steps[::-1])]))


def half_chroma(height, width):
    """YBR_FULL samples whose chroma is the same in pairs of pixels."""
    ybr = np.stack(
        [pattern(height, width, 20, 235, 90), smooth(height, width, 60, 190, 0.5), smooth(height, width, 70, 200, 2)],
        -1,
    )
    ybr[:, 1::2, 1:] = ybr[:, 0 : width - width % 2 : 2, 1:]
    return ybr


def rgb_of(ybr):
    """PS3.3 C.7.6.3.1.2, the inverse of the equations of YBR_FULL."""
    y, cb, cr = [ybr[..., k].astype(np.float64) - (0, 128, 128)[k] for k in range(3)]
    rgb = np.stack([y + 1.402 * cr, y - (0.114 * 1.772 * cb + 0.299 * 1.402 * cr) / 0.587, y + 1.772 * cb], -1)
    return np.clip(np.floor(rgb + 0.5), 0, 255).astype(np.int64)


def in_color():
    planes = np.moveaxis(RGB, -1, 0)
    color("RGB, planar configuration 1", RGB, color_spec(RGB, planar=1), native(planes, 8))
    odd = colors(11, 13, 12)
    color("RGB, odd size", odd, color_spec(odd), native(odd, 8))
    color("RGB, odd size, planar configuration 1", odd, color_spec(odd, planar=1), native(np.moveaxis(odd, -1, 0), 8))
    color("RGB, planar configuration 1, big-endian, OB", RGB, color_spec(RGB, planar=1), native(planes, 8), BIG)
    frames = np.stack([odd, odd[::-1], odd[:, ::-1]])
    for frame in (0, 1, 2):
        for planar in (0, 1):
            data = native(np.moveaxis(frames, -1, 1) if planar else frames, 8)
            color(
                f"RGB, three frames of odd size, planar configuration {planar}, frame {frame}",
                frames[frame],
                color_spec(odd, planar=planar, frames=3),
                data,
                frame=frame,
            )
    window = color_spec(RGB, windows=[("50", "20")], extra=[(0x00281052, "DS", "5"), (0x00281053, "DS", "2")])
    color("RGB, window and rescale are not for colours", RGB, window, native(RGB, 8))
    absent = color_spec(RGB)
    del absent["planar"]
    color(
        "RGB, no planar configuration",
        RGB,
        absent,
        native(RGB, 8),
        pydicom_stops="pydicom refuses RGB without Planar Configuration; we take 0",
    )
    deep = RGB * 257
    spec = color_spec(RGB) | {"bits": 16, "stored": 16}
    color("RGB, 16 bits", RGB, spec, native(deep, 16))

    ybr = half_chroma(HEIGHT, WIDTH)
    rgb = rgb_of(ybr)
    color("YBR_FULL", rgb, color_spec(ybr, "YBR_FULL"), native(ybr, 8), tolerance=1)
    color(
        "YBR_FULL, planar configuration 1",
        rgb,
        color_spec(ybr, "YBR_FULL", planar=1),
        native(np.moveaxis(ybr, -1, 0), 8),
        tolerance=1,
    )
    # Saturated: the results must be clipped.
    wild = np.stack(
        [
            pattern(HEIGHT, WIDTH, 0, 255, 93),
            pattern(HEIGHT, WIDTH, 0, 255, 94)[::-1],
            pattern(HEIGHT, WIDTH, 0, 255, 95)[:, ::-1],
        ],
        -1,
    )
    color("YBR_FULL, clipped", rgb_of(wild), color_spec(wild, "YBR_FULL"), native(wild, 8), tolerance=1)
    half = np.concatenate([ybr[:, ::2, :1], ybr[:, 1::2, :1], ybr[:, ::2, 1:]], -1)
    color("YBR_FULL_422", rgb, color_spec(ybr, "YBR_FULL_422"), native(half, 8), tolerance=1)
    color(
        "YBR_FULL_422, implicit", rgb, color_spec(ybr, "YBR_FULL_422", vr="OW"), native(half, 8), IMPLICIT, tolerance=1
    )
    two = native(half[::-1], 8) + native(half, 8)
    color("YBR_FULL_422, second frame", rgb, color_spec(ybr, "YBR_FULL_422", frames=2), two, tolerance=1, frame=1)


def palette_elements(luts, big=False, segmented=False, signed=False):
    out = []
    for k, (count, first, bits, data) in enumerate(luts):
        form = (">" if big else "<") + ("HhH" if signed else "HHH")
        out.append((0x00281101 + k, "SS" if signed else "US", struct.pack(form, count % 65536, first, bits)))
        out.append(((0x00281221 if segmented else 0x00281201) + k, "OW", data))
    return out


def words(entries, big=False):
    return np.asarray(entries).astype(">u2" if big else "<u2").tobytes()


def to_byte(v):
    return (np.asarray(v, dtype=np.int64) * 2 + 257) // 514


def indexed(values, first, channels, to_eight=lambda v: v):
    return np.stack([to_eight(look_up(values, first, entries)) for entries in channels], -1)


def palettes():
    index = pattern(HEIGHT, WIDTH, 0, 255, 100)
    k = np.arange(256)
    ramps = [k, 255 - k, (k * 7) % 256]
    deep = [k * 257, 65535 - k * 200, (k * 9973) % 65536]
    base = color_spec(RGB, "PALETTE COLOR", samples=1)
    del base["planar"]

    def pal(name, values, expected, extra, spec=None, pixels=None, syntax=EXPLICIT, **rest):
        spec = base | {"extra": extra} | (spec or {})
        pixels = native(values, spec["bits"], syntax == BIG) if pixels is None else pixels
        color(name, expected, spec, pixels, syntax, palette=True, **rest)

    extra = palette_elements([(256, 0, 8, bytes(e.tolist())) for e in ramps])
    pal("palette, 8-bit entries", index, indexed(index, 0, ramps), extra)
    pal("palette, 8-bit entries, implicit", index, indexed(index, 0, ramps), extra, {"vr": "OW"}, syntax=IMPLICIT)
    few = [e[:101] for e in ramps]
    extra = palette_elements([(101, 50, 8, bytes(e.tolist())) for e in few])
    pal(
        "palette, 101 8-bit entries from 50",
        index,
        indexed(index, 50, few),
        extra,
        pydicom_stops="pydicom takes the padding byte for an entry's part and refuses the palette",
    )
    extra = palette_elements([(256, 0, 16, words(e)) for e in deep])
    pal("palette, 16-bit entries", index, indexed(index, 0, deep, to_byte), extra)
    extra = palette_elements([(256, 0, 16, words(e, True)) for e in deep], big=True)
    # pydicom 3.0.2 reads the entries in this machine's order.
    pal(
        "palette, 16-bit entries, big-endian",
        index,
        indexed(index, 0, deep, to_byte),
        extra,
        syntax=BIG,
        pydicom_stops="pydicom reads the entries in the machine's byte order (PS3.3, C.7.6.3.1.6)",
    )
    extra = palette_elements([(200, 30, 16, words(e[:200])) for e in deep])
    pal("palette, 200 16-bit entries from 30", index, indexed(index, 30, [e[:200] for e in deep], to_byte), extra)
    extra = palette_elements([(256, 0, 8, words(e)) for e in ramps])
    pal(
        "palette, 8-bit entries in words",
        index,
        indexed(index, 0, ramps),
        extra,
        pydicom_stops="pydicom gives words whose low bytes are the entries",
    )
    wide = pattern(HEIGHT, WIDTH, 900, 1400, 101)
    n = np.arange(300)
    long = [n * 219, 65535 - n * 150, (n * 7919) % 65536]
    spec = {"bits": 16, "stored": 16}
    extra = palette_elements([(300, 1000, 16, words(e)) for e in long])
    pal("palette, 16-bit indices", wide, indexed(wide, 1000, long, to_byte), extra, spec)
    pal("palette, 16-bit indices, implicit", wide, indexed(wide, 1000, long, to_byte), extra, spec, syntax=IMPLICIT)
    short = pattern(HEIGHT, WIDTH, -128, 127, 102)
    extra = palette_elements([(256, -128, 16, words(e)) for e in deep], signed=True)
    pal("palette, signed indices", short, indexed(short, -128, deep, to_byte), extra, {"signed": 1})
    narrow = pattern(HEIGHT, WIDTH, 0, 15, 103)
    sixteen = [e[::17] for e in ramps]
    extra = palette_elements([(16, 0, 8, bytes(e.tolist())) for e in sixteen])
    pal(
        "palette, RLE",
        narrow,
        indexed(narrow, 0, sixteen),
        extra,
        pixels=Fragments([rle([native(narrow, 8)], HEIGHT, WIDTH)]),
        syntax=RLE,
    )
    pal(
        "palette, JPEG-LS",
        narrow,
        indexed(narrow, 0, sixteen),
        extra,
        syntax=JPEG_LS,
        pixels=Fragments([jpeg_ls_of(narrow, 8)]),
    )

    # Segments (PS3.3, C.7.9.2): discrete, linear, indirect. The offsets of an indirect one count bytes.
    def full(parts):
        out = []
        for part in parts:
            if part[0] == "discrete":
                out += part[1]
            else:
                start = out[-1]
                out += [start + (part[2] - start) * (i + 1) / part[1] for i in range(part[1])]
        return np.floor(np.array(out) + 0.5).astype(np.int64)

    red = [("discrete", [0, 500, 1000]), ("linear", 53, 54000), ("linear", 100, 4000), ("discrete", [65535] * 100)]
    green = [("discrete", [65535]), ("linear", 255, 0)]
    blue = [("discrete", [257, 20000]), ("linear", 254, 20000)]

    def coded(parts):
        out = []
        for part in parts:
            out += [0, len(part[1]), *part[1]] if part[0] == "discrete" else [1, part[1], part[2]]
        return out

    channels = [red, green, blue]
    luts = [full(parts) for parts in channels]
    assert all(len(lut) == 256 for lut in luts)
    extra = palette_elements([(256, 0, 16, words(coded(parts))) for parts in channels], segmented=True)
    pal("segmented palette, discrete and linear", index, indexed(index, 0, luts, to_byte), extra)
    extra = palette_elements([(256, 0, 16, words(coded(parts), True)) for parts in channels], True, True)
    pal("segmented palette, big-endian", index, indexed(index, 0, luts, to_byte), extra, syntax=BIG)
    fraction = [("discrete", [0]), ("linear", 255, 65000)]
    extra = palette_elements([(256, 0, 16, words(coded(fraction))) for _ in range(3)], segmented=True)
    pal(
        "segmented palette, linear with fractions",
        index,
        indexed(index, 0, [full(fraction)] * 3, to_byte),
        extra,
        tolerance=1,
    )

    # Discrete 3, linear 61: 64 entries, which are copied thrice.
    start = [("discrete", [0, 1000, 2000]), ("linear", 61, 63000)]
    codes = coded(start)
    extra = palette_elements([(256, 0, 16, words(codes + [2, 2, 0, 0] * 3)) for _ in range(3)], segmented=True)
    pal("segmented palette, indirect", index, indexed(index, 0, [np.tile(full(start), 4)] * 3, to_byte), extra)
    # The linear segment alone is copied: it begins at the last value, 63000, and comes from byte 10.
    down = full(start + [("discrete", [100])] + [("linear", 61, 63000)] + [("discrete", [9] * 130)])
    codes = coded(start) + [0, 1, 100] + [2, 1, 10, 0] + [0, 130] + [9] * 130
    extra = palette_elements([(256, 0, 16, words(codes)) for _ in range(3)], segmented=True)
    pal(
        "segmented palette, indirect, second segment",
        index,
        indexed(index, 0, [down] * 3, to_byte),
        extra,
        tolerance=1,
        pydicom_stops="pydicom takes the byte offset of an indirect segment for one in words (PS3.3, C.7.9.2.3)",
    )
    small = [("discrete", [0, 8, 16]), ("linear", 61, 199)]
    codes = bytes(coded(small)) + bytes([2, 2, 0, 0, 0, 0]) * 3
    extra = palette_elements([(256, 0, 8, codes + bytes(len(codes) % 2))] * 3, segmented=True)
    pal("segmented palette, 8-bit entries", index, indexed(index, 0, [np.tile(full(small), 4)] * 3), extra)


# What follows encodes frames.


def pack_bits(data):
    out, at = b"", 0
    while at < len(data):
        run = 1
        while at + run < len(data) and run < 128 and data[at + run] == data[at]:
            run += 1
        if run > 2:
            out += bytes([257 - run, data[at]])
            at += run
            continue
        end = at + 1
        while end < len(data) and end - at < 128 and data[end : end + 3] != data[end : end + 1] * 3:
            end += 1
        out += bytes([end - at - 1]) + data[at:end]
        at = end
    return out


def rle(planes, rows, columns):
    """PS3.5 G: a header of 64 bytes, then the byte planes, the highest byte first. Each row is packed alone."""
    segments = []
    for plane in planes:
        assert len(plane) == rows * columns
        packed = b"".join(pack_bits(plane[row * columns : (row + 1) * columns]) for row in range(rows))
        segments.append(packed + bytes(len(packed) % 2))
    offsets = [64 + sum(len(segment) for segment in segments[:k]) for k in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *[0] * (15 - len(segments))) + b"".join(segments)


def rle_16(values):
    data = native(values, 16, big=True)
    return rle([data[::2], data[1::2]], *values.shape)


def jpeg_ls_of(values, bits, error=0, interleave=0):
    values = np.asarray(values)
    rows, columns, *samples = values.shape
    if samples and interleave == 0:
        values = np.moveaxis(values, -1, 0)
    return bytes(
        jpeg_ls.encode_buffer(
            native(values & (1 << bits) - 1, 8 if bits <= 8 else 16),
            rows,
            columns,
            samples[0] if samples else 1,
            bits,
            error,
            interleave,
        )
    )


def lossless_jpeg(values, bits, predictor=1):
    kind = np.uint8 if bits <= 8 else np.uint16
    values = (np.asarray(values) & (1 << bits) - 1).astype(kind)
    more = {"subsampling": "444", "colorspace": "RGB", "outcolorspace": "RGB"} if values.ndim == 3 else {}
    return imagecodecs.jpeg8_encode(values, lossless=True, predictor=predictor, bitspersample=bits, **more)


def jpeg_2000(values, bits, mct=False, level=None, signed=False, form="j2k"):
    """By imagecodecs, with at most two resolutions in small pictures. `level` is the wanted PSNR, None for lossless."""
    kind = ("i" if signed else "u") + ("1" if bits <= 8 else "2")
    return imagecodecs.jpeg2k_encode(
        np.asarray(values).astype(kind),
        level,
        codecformat=form,
        bitspersample=bits,
        mct=mct,
        reversible=level is None,
        resolutions=3,
    )


def deep_jpeg_2000(values, bits, mct=False, ratio=None, signed=False):
    """By pylibjpeg, with six resolutions; it needs 32 x 32 pixels."""
    kind = ("i" if signed else "u") + ("1" if bits <= 8 else "2")
    return openjpeg.utils.encode_array(
        np.asarray(values).astype(kind),
        bits_stored=bits,
        use_mct=mct,
        photometric_interpretation=1 if values.ndim == 3 else 2,
        compression_ratios=[ratio] if ratio else None,
    )


def as_jpeg(values, quality=92, **options):
    out = io.BytesIO()
    Image.fromarray(np.asarray(values).astype(np.uint8)).save(out, "JPEG", quality=quality, optimize=True, **options)
    return out.getvalue()


def by_pillow(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def without_segments(data, *markers):
    """A JPEG without the segments of these markers."""
    out, at = data[:2], 2
    while data[at + 1] != 0xDA:
        size = 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if data[at + 1] not in markers:
            out += data[at : at + size]
        at += size
    return out + data[at:]


def component_ids(data, ids):
    """A JPEG whose three components have these names."""
    data = bytearray(data)
    at = 2
    while True:
        marker, size = data[at + 1], struct.unpack(">H", data[at + 2 : at + 4])[0]
        if marker in (0xC0, 0xC1, 0xC3):
            data[at + 10 : at + 19 : 3] = ids
        if marker == 0xDA:
            data[at + 5 : at + 11 : 2] = ids
            return bytes(data)
        at += 2 + size


def compressed():
    soft = smooth(16, 24, 20, 230)
    soft_12 = smooth(16, 24, 300, 3800)
    rgb = soft_colors(16, 20)

    def wrapped(frame):
        return Fragments([frame + bytes(len(frame) % 2)])

    grey("RLE, 8 bits", A8, syntax=RLE, pixels=wrapped(rle([native(A8, 8)], HEIGHT, WIDTH)))
    flat = A8 // 64 * 64
    grey("RLE, 8 bits, runs", flat, syntax=RLE, pixels=wrapped(rle([native(flat, 8)], HEIGHT, WIDTH)))
    wide = np.repeat(pattern(2, 3, 0, 255, 110), 150, 1)
    grey("RLE, runs longer than 128", wide, syntax=RLE, pixels=wrapped(rle([native(wide, 8)], *wide.shape)))
    noisy = RNG.integers(0, 256, (2, 150))
    grey("RLE, literals longer than 128", noisy, syntax=RLE, pixels=wrapped(rle([native(noisy, 8)], *noisy.shape)))
    plain = rle([native(flat, 8)], HEIGHT, WIDTH)
    # A byte of -128 does nothing (PS3.5, G.3.1).
    grey("RLE, bytes that do nothing", flat, syntax=RLE, pixels=wrapped(plain[:64] + b"\x80\x80" + plain[64:]))
    grey("RLE, 16 bits", A16, grey_spec(A16, 16), RLE, pixels=wrapped(rle_16(A16)))
    grey(
        "RLE, 12 bits, window",
        A12,
        grey_spec(A12, 16, 12, windows=[("2000", "3000")]),
        RLE,
        pixels=wrapped(rle_16(A12)),
    )
    grey("RLE, 16 bits, signed", S16, grey_spec(S16, 16, signed=1), RLE, pixels=wrapped(rle_16(S16)))
    planes = [native(RGB[..., k], 8) for k in range(3)]
    color("RLE, RGB", RGB, color_spec(RGB, planar=1), wrapped(rle(planes, HEIGHT, WIDTH)), RLE)
    color("RLE, RGB, planar configuration 0", RGB, color_spec(RGB), wrapped(rle(planes, HEIGHT, WIDTH)), RLE)
    ybr = half_chroma(HEIGHT, WIDTH)
    color(
        "RLE, YBR_FULL",
        rgb_of(ybr),
        color_spec(ybr, "YBR_FULL"),
        wrapped(rle([native(ybr[..., k], 8) for k in range(3)], HEIGHT, WIDTH)),
        RLE,
        tolerance=1,
    )

    def lossy(name, values, frame, decoded, syntax=BASELINE, bits=8, stored=8, margin=1, **rest):
        spec = grey_spec(decoded, bits, stored, codec_margin=margin, **rest)
        assert np.abs(decoded - values).max() <= 0.02 * (1 << stored), (name, np.abs(decoded - values).max())
        grey(name, decoded, spec, syntax, pixels=wrapped(frame), tolerance=2)

    frame = as_jpeg(soft)
    lossy("JPEG baseline", soft, frame, by_pillow(frame).astype(np.int64))
    lossy(
        "JPEG baseline, MONOCHROME1 and window",
        soft,
        frame,
        by_pillow(frame).astype(np.int64),
        photometric="MONOCHROME1",
        windows=[("120", "300")],
    )
    lossy("JPEG baseline, without APP0", soft, without_segments(frame, 0xE0), by_pillow(frame).astype(np.int64))
    odd = smooth(13, 19, 20, 230)
    frame = as_jpeg(odd, restart_marker_blocks=2)
    lossy("JPEG baseline, odd size, restarts", odd, frame, by_pillow(frame).astype(np.int64))
    frame = as_jpeg(soft)
    lossy("JPEG extended, 8 bits", soft, frame, by_pillow(frame).astype(np.int64), EXTENDED)
    frame = imagecodecs.jpeg8_encode(soft_12.astype(np.uint16), level=92, bitspersample=12)
    decoded = imagecodecs.jpeg8_decode(frame).astype(np.int64)
    lossy("JPEG extended, 12 bits", soft_12, frame, decoded, EXTENDED, 16, 12)
    lossy("JPEG extended, 12 bits, window", soft_12, frame, decoded, EXTENDED, 16, 12, windows=[("2000", "5000")])

    def lossy_color(name, frame, photometric, decoded=None):
        decoded = by_pillow(frame) if decoded is None else decoded
        color(name, decoded, color_spec(decoded, photometric), wrapped(frame), BASELINE, tolerance=2, margin=3)

    lossy_color("JPEG baseline, 4:4:4, YBR_FULL", as_jpeg(rgb, subsampling=0), "YBR_FULL")
    lossy_color("JPEG baseline, 4:2:2, YBR_FULL_422", as_jpeg(rgb, subsampling=1), "YBR_FULL_422")
    lossy_color("JPEG baseline, 4:2:0, YBR_FULL_422", as_jpeg(rgb, subsampling=2), "YBR_FULL_422")
    bare = without_segments(as_jpeg(rgb, subsampling=1), 0xE0)
    lossy_color("JPEG baseline, 4:2:2, YBR_FULL_422, without APP0", bare, "YBR_FULL_422")
    lossy_color("JPEG baseline, JFIF, yet RGB is stated", as_jpeg(rgb, subsampling=0), "RGB")
    kept = imagecodecs.jpeg8_encode(
        rgb.astype(np.uint8), level=92, colorspace="RGB", outcolorspace="RGB", subsampling="444"
    )
    assert b"Adobe" in kept
    assert np.abs(by_pillow(kept).astype(int) - rgb).max() < 8
    lossy_color("JPEG baseline, RGB, Adobe marker", kept, "RGB")
    named_rgb = without_segments(kept, 0xEE)
    assert named_rgb.find(b"Adobe") < 0
    lossy_color("JPEG baseline, RGB, components R G B", named_rgb, "RGB", by_pillow(kept))
    lossy_color(
        "JPEG baseline, RGB, components 0 1 2, no marker", component_ids(named_rgb, [0, 1, 2]), "RGB", by_pillow(kept)
    )
    lossy_color(
        "JPEG baseline, RGB, components 1 2 3, no marker", component_ids(named_rgb, [1, 2, 3]), "RGB", by_pillow(kept)
    )

    # Process 14. The samples are bits: signed values lie in them as two's complement.
    for predictor in range(1, 8):
        grey(
            f"JPEG lossless, predictor {predictor}",
            A12,
            grey_spec(A12, 16, 12),
            LOSSLESS,
            pixels=wrapped(lossless_jpeg(A12, 12, predictor)),
        )
    for values, bits in [(A8, 8), (A12, 12), (A16, 16)]:
        grey(
            f"JPEG lossless, first order, {bits} bits",
            values,
            grey_spec(values, 8 if bits == 8 else 16, bits),
            FIRST_ORDER,
            pixels=wrapped(lossless_jpeg(values, bits)),
        )
    grey("JPEG lossless, 8 bits, predictor 6", A8, grey_spec(A8), LOSSLESS, pixels=wrapped(lossless_jpeg(A8, 8, 6)))
    grey(
        "JPEG lossless, 16 bits, predictor 7",
        A16,
        grey_spec(A16, 16),
        LOSSLESS,
        pixels=wrapped(lossless_jpeg(A16, 16, 7)),
    )
    grey(
        "JPEG lossless, 16 bits, signed",
        S16,
        grey_spec(S16, 16, signed=1),
        FIRST_ORDER,
        pixels=wrapped(lossless_jpeg(S16, 16)),
    )
    grey(
        "JPEG lossless, 12 bits, signed",
        S12,
        grey_spec(S12, 16, 12, signed=1),
        FIRST_ORDER,
        pixels=wrapped(lossless_jpeg(S12, 12)),
    )
    grey(
        "JPEG lossless, precision 16 of 12 bits, signed",
        S12,
        grey_spec(S12, 16, 12, signed=1),
        FIRST_ORDER,
        pixels=wrapped(lossless_jpeg(S12, 16)),
    )
    grey(
        "JPEG lossless, rescale and window",
        A12,
        grey_spec(A12, 16, 12, slope="1", intercept="-1024", windows=[("40", "400")]),
        FIRST_ORDER,
        pixels=wrapped(lossless_jpeg(A12, 12)),
    )
    color("JPEG lossless, RGB", RGB, color_spec(RGB), wrapped(lossless_jpeg(RGB, 8)), FIRST_ORDER)
    color(
        "JPEG lossless, RGB, no marker",
        RGB,
        color_spec(RGB),
        wrapped(without_segments(lossless_jpeg(RGB, 8), 0xEE, 0xE0)),
        FIRST_ORDER,
    )

    for values, bits in [(A8, 8), (A12, 12), (A16, 16)]:
        allocated = 8 if bits == 8 else 16
        grey(
            f"JPEG-LS, {bits} bits",
            values,
            grey_spec(values, allocated, bits),
            JPEG_LS,
            pixels=wrapped(jpeg_ls_of(values, bits)),
        )
        frame = jpeg_ls_of(values, bits, 2)
        near = imagecodecs.jpegls_decode(frame).astype(np.int64)
        assert 0 < np.abs(near - values).max() <= 2
        grey(
            f"JPEG-LS near-lossless, {bits} bits",
            near,
            grey_spec(near, allocated, bits),
            NEAR_LOSSLESS,
            pixels=wrapped(frame),
        )
    grey(
        "JPEG-LS, lossless in the near-lossless syntax",
        A8,
        grey_spec(A8),
        NEAR_LOSSLESS,
        pixels=wrapped(jpeg_ls_of(A8, 8)),
    )
    grey("JPEG-LS, 16 bits, signed", S16, grey_spec(S16, 16, signed=1), JPEG_LS, pixels=wrapped(jpeg_ls_of(S16, 16)))
    grey(
        "JPEG-LS, 12 bits, signed", S12, grey_spec(S12, 16, 12, signed=1), JPEG_LS, pixels=wrapped(jpeg_ls_of(S12, 12))
    )
    for interleave in range(3):
        color(
            f"JPEG-LS, RGB, interleave mode {interleave}",
            RGB,
            color_spec(RGB, planar=0),
            wrapped(jpeg_ls_of(RGB, 8, 0, interleave)),
            JPEG_LS,
        )
    frame = jpeg_ls_of(RGB, 8, 3, 2)
    near = imagecodecs.jpegls_decode(frame).astype(np.int64)
    color("JPEG-LS near-lossless, RGB", near, color_spec(RGB), wrapped(frame), NEAR_LOSSLESS)
    runs = np.repeat(np.repeat(pattern(3, 4, 0, 255, 111), 5, 0), 10, 1)
    grey("JPEG-LS, precision 16 of 12 bits", A12, grey_spec(A12, 16, 12), JPEG_LS, pixels=wrapped(jpeg_ls_of(A12, 16)))
    grey("JPEG-LS, runs", runs, grey_spec(runs), JPEG_LS, pixels=wrapped(jpeg_ls_of(runs, 8)))

    for values, bits in [(A8, 8), (A12, 12), (A16, 16)]:
        grey(
            f"JPEG 2000 lossless, {bits} bits",
            values,
            grey_spec(values, 8 if bits == 8 else 16, bits),
            JPEG_2000_LOSSLESS,
            pixels=wrapped(jpeg_2000(values, bits)),
        )
    for values, bits in [(S16, 16), (S12, 12)]:
        grey(
            f"JPEG 2000 lossless, {bits} bits, signed",
            values,
            grey_spec(values, 16, bits, signed=1),
            JPEG_2000_LOSSLESS,
            pixels=wrapped(jpeg_2000(values, bits, signed=True)),
        )
    grey(
        "JPEG 2000 lossless, signed, codestream unsigned",
        S12,
        grey_spec(S12, 16, 12, signed=1),
        JPEG_2000_LOSSLESS,
        pixels=wrapped(jpeg_2000(S12 & 4095, 12)),
    )
    grey(
        "JPEG 2000 lossless, rescale and window",
        A12,
        grey_spec(A12, 16, 12, slope="1", intercept="-1024", windows=[("40", "400")]),
        JPEG_2000_LOSSLESS,
        pixels=wrapped(jpeg_2000(A12, 12)),
    )
    grey(
        "JPEG 2000 lossless, precision 16 of 12 bits",
        A12,
        grey_spec(A12, 16, 12),
        JPEG_2000_LOSSLESS,
        pixels=wrapped(jpeg_2000(A12, 16)),
    )
    grey(
        "JPEG 2000 lossless, in a JP2 box",
        A8,
        grey_spec(A8),
        JPEG_2000_LOSSLESS,
        pixels=wrapped(jpeg_2000(A8, 8, form="jp2")),
    )
    grey("JPEG 2000 lossless, in the lossy syntax", A8, grey_spec(A8), JPEG_2000, pixels=wrapped(jpeg_2000(A8, 8)))
    color("JPEG 2000 lossless, RGB", RGB, color_spec(RGB), wrapped(jpeg_2000(RGB, 8)), JPEG_2000_LOSSLESS)
    color(
        "JPEG 2000 lossless, YBR_RCT",
        RGB,
        color_spec(RGB, "YBR_RCT"),
        wrapped(jpeg_2000(RGB, 8, True)),
        JPEG_2000_LOSSLESS,
    )
    color(
        "JPEG 2000 lossless, colour transform, yet RGB is stated",
        RGB,
        color_spec(RGB),
        wrapped(jpeg_2000(RGB, 8, True)),
        JPEG_2000_LOSSLESS,
    )
    color(
        "JPEG 2000 lossless, YBR_FULL",
        rgb_of(ybr),
        color_spec(ybr, "YBR_FULL"),
        wrapped(jpeg_2000(ybr, 8)),
        JPEG_2000_LOSSLESS,
        tolerance=1,
    )
    large = pattern(33, 35, 0, 4095, 130)
    grey(
        "JPEG 2000 lossless, six resolutions",
        large,
        grey_spec(large, 16, 12),
        JPEG_2000_LOSSLESS,
        pixels=wrapped(deep_jpeg_2000(large, 12)),
    )
    large = np.stack([smooth(33, 35, 0, 255, turn) for turn in (0.0, 1.1, 2.3)], -1)
    color(
        "JPEG 2000 lossless, YBR_RCT, six resolutions",
        large,
        color_spec(large, "YBR_RCT"),
        wrapped(deep_jpeg_2000(large, 8, True)),
        JPEG_2000_LOSSLESS,
    )

    def lossy_2000(name, values, frame, stored=8, sign=0, photometric=None):
        decoded = openjpeg.decode(io.BytesIO(frame)).astype(np.int64)
        assert 0 < np.abs(decoded - values).max() < 0.05 * (1 << stored), name
        if photometric:
            color(name, decoded, color_spec(decoded, photometric), wrapped(frame), JPEG_2000, tolerance=1)
        else:
            spec = grey_spec(decoded, 8 if stored == 8 else 16, stored, signed=sign)
            grey(name, decoded, spec, JPEG_2000, pixels=wrapped(frame), tolerance=1)

    for values, bits, sign in [
        (soft, 8, 0),
        (soft_12, 12, 0),
        (smooth(16, 24, 5000, 60000), 16, 0),
        (soft_12 - 2048, 12, 1),
    ]:
        lossy_2000(
            f"JPEG 2000, {bits} bits{', signed' * sign}",
            values,
            jpeg_2000(values, bits, level=45, signed=bool(sign)),
            bits,
            sign,
        )
    lossy_2000("JPEG 2000, YBR_ICT", rgb, jpeg_2000(rgb, 8, True, 42), photometric="YBR_ICT")
    lossy_2000("JPEG 2000, RGB", rgb, jpeg_2000(rgb, 8, False, 42), photometric="RGB")
    values = smooth(33, 35, 20, 230, 0.7)
    lossy_2000("JPEG 2000, six resolutions", values, deep_jpeg_2000(values, 8, ratio=6))
    lossy_2000("JPEG 2000, YBR_ICT, six resolutions", large, deep_jpeg_2000(large, 8, True, 10), photometric="YBR_ICT")


def frames():
    for frame in range(3):
        grey(f"three frames, frame {frame}", THREE, frame=frame)
    sixteen = np.stack([pattern(10, 12, 0, 4095, 120 + k)[:: (1, -1)[k % 2]] for k in range(4)])
    for frame in (0, 2, 3):
        grey(
            f"four frames, 16 bits, frame {frame}",
            sixteen,
            grey_spec(sixteen, 16, 12, windows=[("2000", "3000")]),
            frame=frame,
        )
    grey("three frames, deflated, frame 2", THREE, syntax=DEFLATED, frame=2)
    grey("number of frames 1", A8, grey_spec(A8, frames=1))
    data = file(picture(grey_spec(THREE, frames=3), native(THREE, 8)))
    refused("frame 3 of three", data, None, "frame", frame=3)
    refused("frame 4294967295 of three", data, None, "frame", frame=4294967295)
    refused("frame 1 of one", file(picture(grey_spec(A8), native(A8, 8))), None, "frame", frame=1)

    coded = [lossless_jpeg(one, 8, 4) for one in THREE]
    even = [one + bytes(len(one) % 2) for one in coded]
    offsets = [0, 8 + len(even[0]), 16 + len(even[0]) + len(even[1])]
    spec = grey_spec(THREE, frames=3)

    def each(name, pixels, syntax=LOSSLESS, extra=(), pydicom_stops=None, first_stop=0):
        for frame in range(3):
            grey(
                f"{name}, frame {frame}",
                THREE,
                spec | {"extra": list(extra)},
                syntax,
                pixels=pixels,
                frame=frame,
                pydicom_stops=pydicom_stops if frame >= first_stop else None,
            )

    each("offset table", Fragments(even, offsets))
    each("empty offset table", Fragments(even))
    stops = "pydicom follows the wrong table"
    each("wrong offset table", Fragments(even, [0, 6, 100000]), pydicom_stops=stops)
    each("offset table too short", Fragments(even, offsets[:2]), pydicom_stops=stops, first_stop=2)
    each("offset table of zeros", Fragments(even, [0, 0, 0]), pydicom_stops=stops)
    table = [(0x7FE00001, "OV", offsets), (0x7FE00002, "OV", [len(one) for one in coded])]
    each("extended offset table", Fragments(even), extra=table)
    # Each frame in two fragments, the first of even length.
    halves = [piece for one in even for piece in (one[: len(one) // 4 * 2], one[len(one) // 4 * 2 :])]
    starts = [sum(8 + len(piece) for piece in halves[: 2 * k]) for k in range(3)]
    each("frames of two fragments", Fragments(halves, starts))
    each("frames of two fragments, empty offset table", Fragments(halves))
    uneven = [even[0], *halves[2:4], even[2]]
    starts = [0, 8 + len(even[0]), 24 + len(even[0]) + len(even[1])]
    each("frames of one, two and one fragments", Fragments(uneven, starts))
    packed = [rle([native(one, 8)], 11, 13) for one in THREE]
    rle_offsets = [sum(8 + len(one) for one in packed[:k]) for k in range(3)]
    each("RLE, offset table", Fragments(packed, rle_offsets), RLE)
    each("RLE, empty offset table", Fragments(packed), RLE)
    each("RLE, wrong offset table", Fragments(packed, [4, 5, 6]), RLE, pydicom_stops=stops)

    one = lossless_jpeg(ODD, 8, 4)
    pieces = [one[:50], one[50:60], one[60:]]
    pieces[-1] += bytes(len(pieces[-1]) % 2)
    spec = grey_spec(ODD)
    grey("one frame of three fragments", ODD, spec, LOSSLESS, pixels=Fragments(pieces))
    grey("one frame of three fragments, offset table", ODD, spec, LOSSLESS, pixels=Fragments(pieces, [0]))
    grey(
        "one frame of three fragments, wrong offset table",
        ODD,
        spec,
        LOSSLESS,
        pixels=Fragments(pieces, [77]),
        pydicom_stops=stops,
    )
    grey("an empty fragment", ODD, spec, LOSSLESS, pixels=Fragments([pieces[0], b"", *pieces[1:]]))
    grey("a fragment of odd length", ODD, spec, LOSSLESS, pixels=Fragments([one[:51], one[51:]]))
    whole = file(picture(spec, Fragments([one + bytes(len(one) % 2)])), LOSSLESS)
    end = tag_bytes(0xFFFEE0DD, False) + bytes(4)
    assert whole.endswith(end)
    grey(
        "encapsulated pixels, and padding behind",
        ODD,
        spec,
        LOSSLESS,
        data=whole + element(0xFFFCFFFC, "OB", bytes(20)),
    )
    color(
        "RGB, JPEG lossless, frame 1 of two",
        RGB,
        color_spec(RGB, frames=2),
        Fragments([x + bytes(len(x) % 2) for x in (lossless_jpeg(RGB[::-1], 8), lossless_jpeg(RGB, 8))]),
        FIRST_ORDER,
        frame=1,
    )


ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"


def region(left, top, right, bottom, form=1, kind=1, unit=3, deltas=(0.05, 0.04)):
    """An item of the Sequence of Ultrasound Regions (PS3.3 C.8.5.5). The right and the bottom edge belong to it."""
    edges = zip((0x00186018, 0x0018601A, 0x0018601C, 0x0018601E), (left, top, right, bottom), strict=True)
    return [
        (0x00186012, "US", form),
        (0x00186014, "US", kind),
        *((tag, "UL", value) for tag, value in edges if value is not None),
        (0x00186024, "US", unit),
        (0x00186026, "US", unit),
        (0x0018602C, "FD", deltas[0]),
        (0x0018602E, "FD", deltas[1]),
    ]


def screen(height=240, width=320):
    """A scanner's screen: a sector, and letters, a ruler and a bar of greys around it. (the pixels, the sector's box)."""
    rng = np.random.default_rng(77)
    out = np.zeros((height, width), np.uint8)
    y, x = np.mgrid[:height, :width]
    away, turn = np.hypot(x - 150, y + 20), np.arctan2(x - 150, y + 20)
    sector = (away > 60) & (away < 220) & (np.abs(turn) < 0.5)
    out[sector] = np.clip(rng.rayleigh(40, sector.sum()) + 12, 0, 255)
    # A cyst has no echoes.
    out[np.hypot(x - 150, y - 100) < 25] = 0
    for top, left in ((6, 10), (18, 10), (225, 200)):
        for letter in range(8):
            # Strokes of one pixel, as a scanner's font has.
            at = left + letter * 7
            out[top : top + 8, at] = 255
            out[top, at : at + 5] = out[top + 4, at : at + 4] = 255
    out[40:200, 310:316] = np.linspace(255, 0, 160)[:, None]
    out[40:200:16, 300:304] = 255
    rows, columns = np.nonzero(sector)
    return out, [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def facts():
    """What is looked at of a frame, and what a file says of it beside the pixels."""

    def told(name, extra=(), looked_at=(), values=None, frames=None, frame=0, sop=ULTRASOUND, **changes):
        values = pattern(60, 80, 0, 255, 91).astype(np.uint8) if values is None else values
        height, width = values.shape[-2:]
        spec = grey_spec(values, **({"frames": frames} if frames else {}), extra=list(extra))
        data = file(picture(spec, native(values, 8), SOPClass=sop, Modality="US", **changes), sop_class=sop)
        ds = read(data)
        assert ds.Rows == height, name
        default = {"area": [0, 0, width, height], "spacing": None, "at_detector": False, "burned_in": False, "overlay": False, "other_region": False}
        shown_frame = values[frame] if values.ndim == 3 else values
        case(name, data, shown_frame, frame=frame, looked_at=default | dict(looked_at))

    def regions(*items):
        return (0x00186011, "SQ", Sequence(*items))

    spaced = {"spacing": [0.5, 0.4]}
    told("ultrasound region", [regions(region(10, 5, 69, 54))], spaced | {"area": [10, 5, 70, 55]})
    told(
        "the larger of two ultrasound regions",
        [regions(region(0, 5, 29, 54), region(30, 5, 79, 54, deltas=(0.1, -0.2)))],
        {"area": [30, 5, 80, 55], "spacing": [1.0, 2.0], "other_region": True},
    )
    told("the first of two equal regions", [regions(region(0, 5, 29, 54), region(40, 5, 69, 54))], spaced | {"area": [0, 5, 30, 55], "other_region": True})
    told(
        "regions of a spectrum and of flow are larger",
        [regions(region(0, 0, 79, 59, form=3, kind=3), region(0, 0, 79, 50, kind=2), region(4, 6, 33, 35))],
        spaced | {"area": [4, 6, 34, 36]},
    )
    told("region to a column and a row behind the frame", [regions(region(10, 5, 80, 60))], spaced | {"area": [10, 5, 80, 60]})
    told("region of a larger frame", [regions(region(10, 5, 81, 54))])
    told("region of a huge frame", [regions(region(10, 5, 69, 4294967295))])
    whole = "the part that is filled, where that is all"
    told(whole)
    told("region outside of the frame", [regions(region(80, 5, 90, 54))])
    told("region whose edges are exchanged", [regions(region(69, 5, 10, 54))])
    told("region without an edge", [regions(region(10, 5, 69, None))])
    told("region of one pixel", [regions(region(5, 5, 5, 5))])
    told("region of 8 pixels", [regions(region(5, 5, 12, 12))], spaced | {"area": [5, 5, 13, 13]})
    many = [region(0, 0, 9, 9, deltas=(0.1, 0.1)) for _ in range(16)] + [region(0, 0, 79, 59)]
    told("a seventeenth region", [regions(*many)], {"area": [0, 0, 10, 10], "spacing": [1.0, 1.0]})
    short = [each for each in region(10, 5, 69, 54) if each[0] != 0x00186018] + [(0x00186018, "US", 10)]
    told("region with an edge of 16 bits", [regions(sorted(short))])
    both = [(0x00280030, "DS", "0.25\\0.5"), regions(region(10, 5, 69, 54, deltas=(0, 0)))]
    told("region without a spacing, and pixel spacing", both, {"area": [10, 5, 70, 55], "spacing": [0.5, 0.25]})
    told("region in other units", [regions(region(10, 5, 69, 54, unit=4))], {"area": [10, 5, 70, 55]})
    told("region with a spacing of 0", [regions(region(10, 5, 69, 54, deltas=(0, 0.1)))], {"area": [10, 5, 70, 55]})
    told(
        "region in a secondary capture",
        [regions(region(10, 5, 69, 54))],
        spaced | {"area": [10, 5, 70, 55]},
        sop=SECONDARY_CAPTURE,
    )
    pixels, box = screen()
    around = [box[0] - 16, box[1] - 16, box[2] + 16, box[3] + 16]
    told("sector by its pixels", values=pixels, looked_at={"area": None, "inside": around, "around": [box[0] + 8, box[1] + 8, box[2] - 8, box[3] - 8]})
    # A shadow from side to side, and a split screen: no part is left out.
    shadow = pixels.copy()
    shadow[110:122] = 0
    bounds = {"area": None, "inside": around, "around": [box[0] + 8, box[1] + 8, box[2] - 8, box[3] - 8]}
    told("sector with a dark band", values=shadow, looked_at=bounds)
    split = np.zeros((240, 320), np.uint8)
    split[40:200, 16:144] = pattern(160, 128, 20, 255, 93)
    split[40:200, 176:304] = pattern(160, 128, 20, 255, 94)
    told("split screen", values=split, looked_at={"area": None, "inside": [8, 32, 312, 208], "around": [16, 40, 304, 200]})
    told("sector by its region", [regions(region(60, 30, 239, 209))], spaced | {"area": [60, 30, 240, 210]}, values=pixels)
    loop = np.stack([pixels, np.where(pixels > 20, pixels // 2 + 11, pixels).astype(np.uint8)])
    told("loop by its region, frame 1", [regions(region(60, 30, 239, 209))], spaced | {"area": [60, 30, 240, 210]}, values=loop, frames=2, frame=1)
    black_frame = np.zeros((60, 80), np.uint8)
    told("ultrasound frame of nothing", values=black_frame)
    # No ultrasound: what is dark around it stays.
    spec = grey_spec(pixels)
    nothing = {"area": [0, 0, 320, 240], "spacing": None, "at_detector": False, "burned_in": False, "overlay": False}
    nothing["other_region"] = False
    case("sector in a secondary capture", file(picture(spec, native(pixels, 8))), pixels, looked_at=nothing)

    def said(name, extra, **looked_at):
        values = pattern(20, 30, 0, 255, 92).astype(np.uint8)
        data = file(picture(grey_spec(values, extra=list(extra)), native(values, 8)))
        read(data)
        case(name, data, values, looked_at=nothing | {"area": [0, 0, 30, 20]} | looked_at)

    # From row to row, then from column to column (PS3.3 10.7.1.3).
    body, detector = (0x00280030, "DS"), (0x00181164, "DS")
    said("pixel spacing", [(*body, "0.25\\0.5")], spacing=[0.5, 0.25])
    said("imager pixel spacing", [(*detector, "0.125\\0.25")], spacing=[0.25, 0.125], at_detector=True)
    said("pixel spacing as at the detector", [(*detector, "0.125\\0.25"), (*body, "0.125\\0.25")], spacing=[0.25, 0.125], at_detector=True)
    said("pixel spacing of a calibration", [(*detector, "0.125\\0.25"), (*body, "0.1\\0.2")], spacing=[0.2, 0.1])
    for name, text in (("commas", "0,14\\0,14"), ("0", "0\\0.5"), ("negative", "-1\\0.5"), ("one number", "0.5"), ("empty", "")):
        said(f"pixel spacing, {name}", [(*body, text)])
    measures = [(0x00289110, "SQ", Sequence([(*body, "0.25\\0.5")]))]
    said("pixel spacing of shared groups", [(0x52009229, "SQ", Sequence(measures))], spacing=[0.5, 0.25])
    said("burned in annotation", [(0x00280301, "CS", "YES")], burned_in=True)
    said("no burned in annotation", [(0x00280301, "CS", "NO")])
    bits = [(0x60000010, "US", 20), (0x60000011, "US", 30), (0x60003000, "OW", bytes(76))]
    said("overlay", bits, overlay=True)
    said("empty overlay", [*bits[:2], (0x60003000, "OW", b"")])
    said("second overlay", [(tag + 0x20000, vr, value) for tag, vr, value in bits], overlay=True)
    said("private elements of a group like an overlay's", [(0x60010010, "LO", "X"), (0x60011000, "OB", bytes(4))])
    icon = Sequence(picture(grey_spec(A8), Fragments([b"1234"])))
    said("an icon of compressed pixels", [(0x00880200, "SQ", icon)])


def errors():
    tiny = A8[:4, :6]
    good = grey_spec(tiny)
    pixels = native(tiny, 8)
    frame = Fragments([bytes(64)])
    for uid, name, says in [
        (JPEG + "100", "MPEG2, main level", "mpeg2"),
        (JPEG + "101", "MPEG2, high level", "mpeg2"),
        (JPEG + "102", "H.264, high profile", "h.264"),
        (JPEG + "103", "H.264, BD-compatible", "h.264"),
        (JPEG + "107", "H.265", "h.265"),
        (JPEG + "201", "HTJ2K lossless", "jpeg 2000"),
        (JPEG + "202", "HTJ2K RPCL", "jpeg 2000"),
        (JPEG + "203", "HTJ2K", "jpeg 2000"),
        (JPEG + "110", "JPEG XL lossless", "jpeg xl"),
        (JPEG + "112", "JPEG XL", "jpeg xl"),
        (JPEG + "94", "JPIP", "jpip"),
        ("1.2.840.10008.1.2.8.1", "deflated frames", "deflate"),
        ("1.2.826.0.1.3680043.1.2.3", "a private syntax", "1.2.826.0.1.3680043.1.2.3"),
        ("1.2.840.10008.1.2.99", "a syntax that is not registered", "1.2.840.10008.1.2.99"),
    ]:
        refused(f"syntax: {name}", file(picture(good, frame), uid), "unsupported_image", says)

    person = [(0x00100020, "LO", "A 1")]
    report = "1.2.840.10008.5.1.4.1.1.88.11"
    text = (0x0040A730, "SQ", Sequence([(0x0040A040, "CS", "TEXT"), (0x0040A160, "UT", "nothing")], defined=False))
    refused(
        "no pixels: a structured report",
        file([named("SOPClass", report), named("Modality", "SR"), *person, text], sop_class=report),
        "unsupported_image",
        "structured report",
    )
    directory = "1.2.840.10008.1.3.10"
    record = Sequence([(0x00041430, "CS", "PATIENT"), *person])
    refused(
        "no pixels: a DICOMDIR",
        file([(0x00041130, "CS", "BEDSIDE"), (0x00041220, "SQ", record)], sop_class=directory),
        "unsupported_image",
        "dicomdir",
    )
    document = "1.2.840.10008.5.1.4.1.1.104.1"
    refused(
        "no pixels: a PDF",
        file([named("SOPClass", document), (0x00420011, "OB", b"%PDF-1.4 ")], sop_class=document),
        "unsupported_image",
        "pdf",
    )
    refused("no pixels", file(picture(good)), "unsupported_image", "pixel")
    real = dict(good, bits=32, stored=32)
    refused(
        "FloatPixelData",
        file(picture(real) + [(0x7FE00008, "OF", np.ones(24, "<f4").tobytes())]),
        "unsupported_image",
        "float",
    )
    refused(
        "DoubleFloatPixelData",
        file(picture(real) + [(0x7FE00009, "OD", np.ones(24, "<f8").tobytes())]),
        "unsupported_image",
        "float",
    )

    def changed(name, kind, *says, spec=good, data=pixels, syntax=EXPLICIT, **fields):
        refused(name, file(picture(spec, data, **fields), syntax), kind, *says)

    malformed, unsupported = "malformed_image", "unsupported_image"
    changed("Rows 0", malformed, "rows", Rows=0)
    changed("Columns 0", malformed, "columns", Columns=0)
    changed("Rows missing", malformed, "rows", Rows=None)
    changed("Columns missing", malformed, "columns", Columns=None)
    changed("Columns empty", malformed, "columns", Columns=b"")
    changed("BitsAllocated missing", malformed, "bits", BitsAllocated=None)
    changed("photometric interpretation missing", malformed, "photometric", Photometric=None)
    changed("photometric interpretation HSV", unsupported, "hsv", Photometric="HSV", SamplesPerPixel=3)
    changed("photometric interpretation unknown", unsupported, Photometric="BEDSIDE")
    changed("BitsStored above BitsAllocated", malformed, "bits", BitsStored=12, HighBit=11)
    changed("BitsStored 0", malformed, "bits", BitsStored=0, HighBit=0)
    changed("HighBit above BitsAllocated", malformed, "bit", HighBit=8)
    changed("HighBit below BitsStored", malformed, "bit", HighBit=5)
    changed("SamplesPerPixel 0", None, "samples", SamplesPerPixel=0)
    changed("SamplesPerPixel 2", unsupported, "samples", SamplesPerPixel=2, data=bytes(48))
    changed("SamplesPerPixel 4", unsupported, SamplesPerPixel=4, Photometric="ARGB", Planar=0, data=bytes(96))
    changed("RGB of one sample", None, Photometric="RGB", Planar=0)
    changed("MONOCHROME2 of three samples", None, SamplesPerPixel=3, Planar=0, data=bytes(72))
    changed("12 bits, packed", unsupported, "12", BitsAllocated=12, BitsStored=12, HighBit=11, data=bytes(36))
    changed("32 bits", unsupported, "32", BitsAllocated=32, BitsStored=32, HighBit=31, data=bytes(96))
    changed("64 bits", unsupported, "64", BitsAllocated=64, BitsStored=64, HighBit=63, data=bytes(192))
    changed("PixelRepresentation 2", None, PixelRepresentation=2)
    changed("frames below 0", malformed, "frames", Frames="-1")
    changed("frames that are no number", malformed, "frames", Frames="many")
    changed("2147483647 frames of little data", None, Frames="2147483647")
    changed("2147483648 frames of little data", None, Frames="2147483648")
    changed("65535 x 65535 of little data", None, Rows=65535, Columns=65535)
    changed(
        "65535 x 65535 RGB in 16 bits, 2147483647 frames",
        None,
        Rows=65535,
        Columns=65535,
        SamplesPerPixel=3,
        Planar=0,
        Photometric="RGB",
        BitsAllocated=16,
        BitsStored=16,
        HighBit=15,
        Frames="2147483647",
    )
    changed("pixels shorter than declared", malformed, "pixel", data=pixels[:-2])
    changed("pixels of no bytes", malformed, "pixel", data=b"")
    short = file(picture(grey_spec(THREE, frames=3), native(THREE[:2], 8)))
    refused("pixels for two of three frames, the third", short, malformed, frame=2)
    either("pixels for two of three frames, the first", short, THREE[0])
    changed("1 bit, shorter than declared", malformed, "pixel", spec=grey_spec(A8, 1, vr="OB"), data=bytes(16))
    changed("window width 0", malformed, "window", Center="10", Width="0")
    zeros = grey_spec(A8, windows=[("0", "0")])
    grey("window of zeros, which is none", A8, zeros)
    refused("window of zeros, chosen", file(picture(zeros, native(A8, 8))), malformed, "window", window=0)
    changed("window width below 0, SIGMOID", malformed, "window", Center="10", Width="-5", Function="SIGMOID")
    changed("window that is no number", malformed, "window", Center="ten", Width="20")
    changed("window function unknown", unsupported, "voi lut function", Center="10", Width="20", Function="BEDSIDE")
    changed("rescale slope that is no number", malformed, "slope", Slope="x", Intercept="0")

    # Tables.
    short = dict(good, voi_luts=[(0, 16, np.arange(100))])
    elements = picture(short, pixels)
    elements = [
        (t, v, Sequence([(0x00283002, "US", [200, 0, 16]), (0x00283006, "US", words(range(100)))]))
        if t == 0x00283010
        else (t, v, x)
        for t, v, x in elements
    ]
    refused("VOI LUT shorter than declared", file(elements), malformed, "lut")
    for bits in (0, 17, 33):
        item = Sequence([(0x00283002, "US", [100, 0, bits]), (0x00283006, "US", words(range(100)))])
        refused(
            f"VOI LUT of {bits} bits",
            file(picture(dict(good, extra=[(0x00283010, "SQ", item)]), pixels)),
            malformed,
            "lut",
        )
    palette = color_spec(RGB[:4, :6], "PALETTE COLOR", samples=1)
    del palette["planar"]
    refused("palette missing", file(picture(palette, pixels)), malformed, "palette")
    ramp = bytes(range(256))
    three = palette_elements([(256, 0, 8, ramp)] * 3)
    refused("palette without blue", file(picture(dict(palette, extra=three[:4]), pixels)), malformed, "palette")
    refused(
        "palette shorter than declared",
        file(picture(dict(palette, extra=palette_elements([(256, 0, 16, ramp)] * 3)), pixels)),
        None,
        "palette",
    )
    for name, codes in [
        ("of an unknown kind", [7, 1, 1]),
        ("that begins with a line", [1, 256, 9]),
        ("that is cut", [0, 256, 1]),
        ("that refers to itself", [0, 1, 5, 2, 60000, 6, 0]),
        ("of endless copies", [0, 1, 5] + [2, 65535, 0, 0] * 40),
        ("that refers beyond the end", [0, 1, 5, 2, 1, 65534, 65535]),
    ]:
        extra = palette_elements([(256, 0, 16, words(codes))] * 3, segmented=True)
        refused(f"segmented palette {name}", file(picture(dict(palette, extra=extra), pixels)), malformed, "palette")

    # Fragments.
    coded = lossless_jpeg(tiny, 8)
    coded += bytes(len(coded) % 2)
    spec = dict(good)
    changed("encapsulated pixels that are not JPEG", malformed, data=Fragments([bytes(range(200))]), syntax=LOSSLESS)
    changed("JPEG that is cut", malformed, data=Fragments([coded[: len(coded) // 4 * 2]]), syntax=LOSSLESS)
    changed("no fragments", malformed, data=Fragments([]), syntax=LOSSLESS)
    changed("fragments fewer than frames", malformed, data=Fragments([coded]), syntax=LOSSLESS, Frames="2", spec=spec)
    CASES[-1]["frame"] = 1
    changed("JPEG of another size", malformed, data=Fragments([coded]), syntax=LOSSLESS, Rows=5)
    changed(
        "JPEG of one component, RGB stated",
        malformed,
        data=Fragments([coded]),
        syntax=LOSSLESS,
        SamplesPerPixel=3,
        Photometric="RGB",
        Planar=0,
    )
    changed("native pixels in a compressed syntax", malformed, data=pixels, syntax=RLE)
    packed = rle([pixels], 4, 6)
    changed("RLE that is cut", malformed, data=Fragments([packed[:80]]), syntax=RLE)
    changed("RLE of 16 segments", malformed, data=Fragments([struct.pack("<I", 16) + packed[4:]]), syntax=RLE)
    changed("RLE of two segments for 8 bits", malformed, data=Fragments([rle([pixels, pixels], 4, 6)]), syntax=RLE)
    changed(
        "RLE whose offset lies beyond the end",
        malformed,
        data=Fragments([packed[:4] + b"\0\0\0\x7f" + packed[8:]]),
        syntax=RLE,
    )
    changed("RLE of a header alone", malformed, data=Fragments([packed[:40]]), syntax=RLE)
    for syntax, coder, name in [
        (JPEG_LS, lambda: jpeg_ls_of(ODD, 8), "JPEG-LS"),
        (JPEG_2000_LOSSLESS, lambda: jpeg_2000(ODD, 8), "JPEG 2000"),
    ]:
        data = coder()
        changed(
            f"{name} of another size",
            malformed,
            data=Fragments([data + bytes(len(data) % 2)]),
            syntax=syntax,
            Columns=18,
            spec=grey_spec(ODD),
        )
        changed(f"{name}, header cut", malformed, data=Fragments([data[:20]]), syntax=syntax, spec=grey_spec(ODD))

    # Structure.
    whole = file(picture(good, pixels))
    body_at = 132 + len(meta(EXPLICIT))
    for cut in (
        132,
        136,
        150,
        body_at - 3,
        body_at,
        body_at + 1,
        body_at + 4,
        body_at + 7,
        body_at + 30,
        len(whole) - 32,
        len(whole) - 28,
        len(whole) - 24,
        len(whole) - 1,
    ):
        refused(f"cut at byte {cut}", whole[:cut], malformed if cut > 150 and cut != body_at else None)
    encapsulated = file(picture(good, Fragments([coded])), LOSSLESS)
    for less, where in [
        (8 + len(coded) // 2, "within the fragment"),
        (8 + len(coded) + 4, "within its length"),
        (8 + len(coded) + 8 + 3, "within the offset table"),
    ]:
        refused(f"encapsulated, cut {where}", encapsulated[:-less], malformed)
    tail = element(PIXELS, "OB", pixels)
    head = dataset(picture(good))
    refused(
        "an element longer than the file", file(head + element(0x00290010, "LO", "x", length=60000) + tail), malformed
    )
    refused("an element of 4 GB", file(head + element(0x00290010, "OB", b"xy", length=0xFFFFFFF0) + tail), malformed)
    refused("pixels of 4 GB", file(head + element(PIXELS, "OB", pixels, length=0xFFFFFFFE)), None)
    item = tag_bytes(0xFFFEE000, False) + struct.pack("<I", 5000) + bytes(8)
    for length in (len(item), UNDEFINED):
        begin = dataset(picture(good)[:3])
        sequence = tag_bytes(0x00081140, False) + b"SQ\0\0" + struct.pack("<I", length) + item
        data = file(begin + sequence + dataset(picture(good, pixels)[3:]))
        # A reader that skips sequences of defined length by it does not see the item.
        if length == UNDEFINED:
            refused("an item longer than the file", data, malformed)
        else:
            either("an item longer than its sequence", data, tiny)
    unended = tag_bytes(0x00081140, False) + b"SQ\0\0" + struct.pack("<I", UNDEFINED)
    refused(
        "a sequence without an end",
        file(dataset(picture(good)[:3]) + unended + dataset(picture(good, pixels)[3:])),
        malformed,
    )
    refused("a delimiter where none belongs", file(head + tag_bytes(0xFFFEE00D, False) + bytes(4) + tail), None)
    fragment = tag_bytes(0xFFFEE000, False) + struct.pack("<I", 0x7FFFFFFF) + coded
    start = (
        tag_bytes(PIXELS, False) + b"OB\0\0" + struct.pack("<I", UNDEFINED) + tag_bytes(0xFFFEE000, False) + bytes(4)
    )
    refused("a fragment longer than the file", file(head + start + fragment, LOSSLESS), malformed)
    refused(
        "an offset table longer than the file",
        file(head + start[:-4] + struct.pack("<I", 0x7FFFFFF0), LOSSLESS),
        malformed,
    )
    refused(
        "meta header without a transfer syntax",
        bytes(128)
        + b"DICM"
        + meta(EXPLICIT).replace(element(0x00020010, "UI", EXPLICIT), b"")
        + dataset(picture(good)[:4]),
        None,
    )
    refused("nothing after the letters", bytes(128) + b"DICM", None)
    noise = RNG.integers(0, 256, 300, dtype=np.uint8).tobytes()
    refused("noise after the meta header", file(noise), None)
    refused("noise in the deflated syntax", file(b"\xff" * 40 + noise, DEFLATED), malformed)
    packed = encoded(picture(good, pixels), DEFLATED)
    refused("deflated, cut", file(packed[: len(packed) // 2], DEFLATED), malformed)
    bomb()


BOMB_MEGABYTES = 200


def bomb():
    """An element of 200 MB of zeros, deflated. A MB, flushed, is whole bytes that don't depend on what came before: the
    file has it once, and "repeat" says where, and how many times the test must write it."""
    tiny = A8[:4, :6]
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    opened = dataset(picture(grey_spec(tiny))[:3]) + element(0x00290010, "OB", b"", length=BOMB_MEGABYTES << 20)
    begin = packer.compress(opened) + packer.flush(zlib.Z_FULL_FLUSH)
    middle, again = [packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2)]
    assert middle == again
    end = packer.compress(dataset(picture(grey_spec(tiny), native(tiny, 8))[3:])) + packer.flush()
    before = file(begin, DEFLATED)
    unpacker = zlib.decompressobj(-15)
    size = sum(len(unpacker.decompress(piece)) for piece in [begin, *[middle] * BOMB_MEGABYTES, end])
    assert size > BOMB_MEGABYTES << 20 and unpacker.eof
    refused("a deflated bomb", before + middle + end, None)
    CASES[-1]["repeat"] = {"start": len(before), "length": len(middle), "times": BOMB_MEGABYTES}


def seeds():
    """Each sixth file, one by one, for the fuzzer to start from. Frames and windows are its own to choose."""
    folder = HERE.parents[2] / "fuzz/seeds/dicom"
    folder.mkdir(parents=True, exist_ok=True)
    for each in [each for each in CASES if "expected" in each][::6]:
        name = "".join(letter if letter.isalnum() else "-" for letter in each["name"])
        (folder / name).write_bytes(BYTES[each["offset"] : each["offset"] + each["length"]])


def main():
    logging.getLogger("pydicom").setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore")
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    for part in (syntaxes, bits, values, tables, in_color, palettes, compressed, frames, facts, errors):
        before = len(CASES), len(BYTES)
        part()
        print(f"{part.__name__}: {len(CASES) - before[0]} cases, {len(BYTES) - before[1]} bytes")
    (HERE / "cases.bin").write_bytes(BYTES)
    lines = ",\n".join(json.dumps(each) for each in CASES)
    (HERE / "cases.json").write_text(f"[\n{lines}\n]\n")
    seeds()
    refusals = sum("expected" not in each for each in CASES)
    print(f"{len(CASES)} cases ({refusals} refusals), {len(BYTES)} bytes; read back by pydicom: {dict(CHECKED)}")
    for name, why in NOT_CHECKED:
        print(f"by our own sums alone: {name}: {why}")


if __name__ == "__main__":
    main()
