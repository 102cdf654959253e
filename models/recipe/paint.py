"""Copies a set of pictures with marks on them painted over, to measure what a model makes of the marks.

The recipes import this module and say what a mark is.
"""

import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage


def disk(width):
    """A disk as a footprint."""
    line = np.arange(width) - (width - 1) / 2
    return line[:, None] ** 2 + line**2 <= (width / 2) ** 2


def painted_over(pixels, marks):
    """H×W×3 bytes with what is under the marks filled from around them, by repeated blurring (normalized convolution)."""
    filled, known = pixels.astype(np.float64), (~marks).astype(np.float64)
    for sigma in (2, 4, 8, 16, 32, 64):
        weight = ndimage.gaussian_filter(known, sigma)
        blurred = np.stack([ndimage.gaussian_filter(filled[:, :, c] * known, sigma) for c in range(3)], axis=2)
        near = (known == 0) & (weight > 0.02)
        filled[near] = blurred[near] / weight[near][:, None]
        known[near] = 1
    return filled.round().clip(0, 255).astype(np.uint8)


def copied(source, target, files, marks_of):
    """Copies a folder; in these files of it, the marks that `marks_of` finds in H×W×3 bytes are painted over.

    Returns (pixels before, pixels after) of each of them. Files keep their format, and a JPEG is saved in quality 95.
    """
    shutil.copytree(source, target)
    pairs = []
    for file in files:
        with Image.open(Path(source) / file) as image:
            mode, pixels = image.mode, np.asarray(image.convert("RGB"))
        clean = painted_over(pixels, marks_of(pixels))
        options = {"quality": 95, "subsampling": 0} if file.endswith(".jpg") else {}
        Image.fromarray(clean).convert(mode).save(Path(target) / file, **options)
        pairs.append((pixels, clean))
    return pairs


def show(pairs, path, columns=12, side=128):
    """A sheet of pictures, each above itself after."""
    rows = -(-len(pairs) // columns)
    sheet = Image.new("RGB", (columns * side, rows * 2 * side))
    for at, pair in enumerate(pairs):
        for below, pixels in enumerate(pair):
            place = (at % columns * side, (at // columns * 2 + below) * side)
            sheet.paste(Image.fromarray(pixels).resize((side, side)), place)
    sheet.save(path)
