"""Copies PAD-UFES-20 with the ink of pens painted over, to measure what the model makes of ink.

    python3 models/skin-photo/recipe/ink.py DATA OUTPUT [--show SHEET.png]

DATA holds `pad_ufes`. OUTPUT gets `pad_ufes` with the same table and all pictures, of which those of `ink.csv` are changed.
That list was made by eye from thumbnails of all 1,028 pictures on 30 November 2026, without a look at what any model says.

In those pictures, ink is what is bluer than the skin and thinner than a lesion, by a white top-hat of the blueness. It is filled
from its surroundings by repeated blurring (normalized convolution). What is blue and thin within a lesion goes too, and faded
ink is left in part: look at the sheet.
"""

import argparse
import csv
import shutil
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

BLUER = 0.03  # (blue − red) / (blue + red) of ink, above its surroundings
LEAST = 60  # pixels of a line
THICKEST = 27  # a line's width in pixels, where a picture has 384


def ink_of(pixels):
    """Which pixels of H×W×3 bytes have ink."""
    red, blue = pixels[:, :, 0].astype(np.float64), pixels[:, :, 2].astype(np.float64)
    blueness = ndimage.gaussian_filter((blue - red) / (blue + red + 1), 1)
    width = round(THICKEST * max(pixels.shape) / 384)
    lines = ndimage.white_tophat(blueness, footprint=disk(width)) > BLUER
    lines &= (blueness > np.median(blueness) + BLUER) & (pixels.max(axis=2) < 245)
    spots, count = ndimage.label(lines, np.ones((3, 3)))
    sizes = ndimage.sum_labels(lines, spots, range(count + 1))
    return ndimage.binary_dilation(lines & (sizes[spots] >= LEAST), iterations=4)


def disk(width):
    """A disk as a footprint."""
    line = np.arange(width) - (width - 1) / 2
    return line[:, None] ** 2 + line**2 <= (width / 2) ** 2


def painted_over(pixels, ink):
    """The picture with what is under ink filled from around it."""
    filled, known = pixels.astype(np.float64), (~ink).astype(np.float64)
    for sigma in (2, 4, 8, 16, 32, 64):
        weight = ndimage.gaussian_filter(known, sigma)
        blurred = np.stack([ndimage.gaussian_filter(filled[:, :, c] * known, sigma) for c in range(3)], axis=2)
        near = (known == 0) & (weight > 0.02)
        filled[near] = blurred[near] / weight[near][:, None]
        known[near] = 1
    return filled.round().clip(0, 255).astype(np.uint8)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of pad_ufes")
    parser.add_argument("output", type=Path, help="folder that gets pad_ufes")
    parser.add_argument("--show", type=Path, help="a sheet of pictures before and after")
    args = parser.parse_args()
    shutil.copytree(args.data / "pad_ufes", args.output / "pad_ufes")
    with open(Path(__file__).with_name("ink.csv"), newline="") as table:
        files = [row["file"] for row in csv.DictReader(table)]
    pairs = []
    for file in files:
        pixels = np.asarray(Image.open(args.data / "pad_ufes" / file).convert("RGB"))
        clean = painted_over(pixels, ink_of(pixels))
        Image.fromarray(clean).save(args.output / "pad_ufes" / file, quality=95, subsampling=0)
        pairs.append((pixels, clean))
    if args.show:
        show(pairs, args.show)


def show(pairs, path, columns=12, side=128):
    """A sheet of pictures, each above itself after."""
    rows = -(-len(pairs) // columns)
    sheet = Image.new("RGB", (columns * side, rows * 2 * side))
    for at, pair in enumerate(pairs):
        for below, pixels in enumerate(pair):
            place = (at % columns * side, (at // columns * 2 + below) * side)
            sheet.paste(Image.fromarray(pixels).resize((side, side)), place)
    sheet.save(path)


if __name__ == "__main__":
    main()
