"""Writes the reference measures of quality: Pillow decodes and resizes pictures of the repository, and numpy measures.

    python make.py

Each element of `cases.json` names a picture, the manifest's description of an input, the colours that are meant, and
the six measures. The formulas are those of `benches/quality/measure.py`, which `docs/notes/2026-11-quality.md` compares;
what it has no function for, as the input is always of 224 pixels and in colour there, is written here.
"""

import json
import math
import pathlib
import sys

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.append(str(ROOT / "benches/quality"))
from measure import absolute, luma, percentile  # noqa: E402

PHOTO = "tests/golden/image/resize/photo.ppm"
SKIN = "models/samples/ISIC_0012258.jpg"
DARK_CORNERS = "models/samples/ISIC_0012356.jpg"
FILM = "models/samples/IM-0001-0001.jpeg"
GRAY_16 = "tests/golden/image/png/grey16.png"

# (picture, policy, size of the input, colour of the input, shorter side of a crop or fill of a letterbox, colours meant)
CASES = [
    (PHOTO, "stretch", (224, 224), "rgb", None, "rgb"),
    (PHOTO, "stretch", (224, 224), "rgb", None, "gray"),
    (PHOTO, "stretch", (224, 224), "gray", None, None),
    (PHOTO, "letterbox", (224, 224), "rgb", 114, "rgb"),
    (PHOTO, "letterbox", (224, 300), "bgr", 255, "rgb"),
    (PHOTO, "letterbox", (300, 64), "gray", 0, "rgb"),
    (PHOTO, "crop", (224, 224), "rgb", 256, "rgb"),
    (PHOTO, "crop", (224, 224), "gray", 256, "rgb"),
    (PHOTO, "crop", (299, 299), "bgr", None, None),
    (SKIN, "stretch", (224, 224), "rgb", None, "rgb"),
    (SKIN, "stretch", (224, 224), "bgr", None, "rgb"),
    (SKIN, "stretch", (33, 47), "rgb", None, "rgb"),
    (SKIN, "stretch", (64, 64), "gray", None, "rgb"),
    (DARK_CORNERS, "stretch", (224, 224), "rgb", None, "rgb"),
    (DARK_CORNERS, "stretch", (5, 3), "rgb", None, None),
    (FILM, "stretch", (224, 224), "rgb", None, "gray"),
    (FILM, "stretch", (224, 224), "gray", None, "gray"),
    (GRAY_16, "stretch", (224, 224), "gray", None, "gray"),
    (GRAY_16, "crop", (32, 31), "rgb", 40, "gray"),
]


def opened(name):
    """A picture as RGB; 16-bit grey is divided by 257 and rounded to nearest, as the library does."""
    image = Image.open(ROOT / name)
    if image.mode.startswith("I"):
        levels = (np.asarray(image).astype(np.int64) + 128) // 257
        image = Image.fromarray(levels.astype(np.uint8))
    return image.convert("RGB")


def resized(image, policy, size, extra):
    """The picture at the input's size, and the box (left, top, right, bottom) of the input that it fills."""
    if policy == "stretch":
        return image.resize(size, Image.BILINEAR), (0, 0, *size)
    if policy == "letterbox":
        fill = extra if image.mode == "L" else (extra,) * 3
        inner = ImageOps.contain(image, size, Image.BILINEAR).size
        left, top = (round((a - b) * 0.5) for a, b in zip(size, inner))
        return ImageOps.pad(image, size, Image.BILINEAR, fill), (left, top, left + inner[0], top + inner[1])
    # torchvision's Resize and CenterCrop.
    shorter = extra or max(size)
    w, h = image.size
    new = (shorter, int(shorter * h / w)) if w <= h else (int(shorter * w / h), shorter)
    left, top = (int(round((a - b) / 2.0)) for a, b in zip(new, size))
    made = image.resize(new, Image.BILINEAR).crop((left, top, left + size[0], top + size[1]))
    return made, (0, 0, *size)


def shown(image, policy, size, extra):
    """The box of the picture that a crop shows, each edge rounded outwards to a whole pixel."""
    w, h = image.size
    if policy != "crop":
        return 0, 0, w, h
    shorter = extra or max(size)
    new = (shorter, int(shorter * h / w)) if w <= h else (int(shorter * w / h), shorter)
    left, top = (int(round((a - b) / 2.0)) for a, b in zip(new, size))
    right, bottom = left + size[0], top + size[1]
    return (math.floor(left * w / new[0]), math.floor(top * h / new[1]),
            math.ceil(right * w / new[0]), math.ceil(bottom * h / new[1]))


def sampled(rgb, box, cells):
    """The means of 4×4 samples in each of the cells (columns, rows) of a box of the picture."""
    columns, rows = (max(n, 1) for n in cells)
    at = lambda start, end, n: start + (2 * np.arange(4 * n) + 1) * (end - start) // (8 * n)
    picked = rgb[np.ix_(at(box[1], box[3], rows), at(box[0], box[2], columns))].astype(float)
    return picked.reshape(rows, 4, columns, 4, 3).mean((1, 3))


def share(rgb, chroma):
    return float((rgb.max(-1).astype(float) - rgb.min(-1) >= chroma).mean())


def focus(y):
    """`focus.centre_damped_abs_112` of measure.py, for any size."""
    rows, columns = y.shape[0] // 2, y.shape[1] // 2
    half = y[: 2 * rows, : 2 * columns].reshape(rows, 2, columns, 2).sum((1, 3))
    top, left = rows // 4, columns // 4
    return absolute(half[top:rows - top, left:columns - left] / 4, 2)


def measures(name, policy, size, color, extra, meant):
    image = opened(name)
    chroma = 8 if meant == "gray" else 24
    made, box = resized(image.convert("L") if color == "gray" else image, policy, size, extra)
    left, top, right, bottom = box
    pixels = np.asarray(made)[top:bottom, left:right]
    if color == "gray":
        y = pixels.astype(np.int64)
        cells = ((right - left) // 2, (bottom - top) // 2)
        colored = share(sampled(np.asarray(image), shown(image, policy, size, extra), cells), chroma)
    else:
        y, colored = luma(pixels), share(pixels, chroma)
    counts = np.bincount(y.ravel(), minlength=256)
    return {
        "focus": focus(y),
        "dark": 1 - percentile(counts, 0.95) / 255,
        "bright": counts[250:].sum() / y.size,
        "contrast": float(y.std()) / 127.5,
        "color": colored,
        "size": min(image.size[0] / size[0], image.size[1] / size[1]),
    }


def main():
    cases = []
    for name, policy, size, color, extra, meant in CASES:
        resize = {"policy": policy}
        if extra is not None:
            resize["shorter_side" if policy == "crop" else "fill"] = extra
        channels = 1 if color == "gray" else 3
        cases.append({
            "picture": name,
            "input": {"color": color, "width": size[0], "height": size[1], "resize": resize,
                      "mean": [0.5] * channels, "std": [0.5] * channels},
            "meant": meant,
            "quality": measures(name, policy, size, color, extra, meant),
        })
    (HERE / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
