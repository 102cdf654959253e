"""Copies PAD-UFES-20 with the ink of pens painted over, to measure what the model makes of ink.

    python3 models/skin-photo/recipe/ink.py DATA OUTPUT [--show SHEET.png]

`models/recipe` must be on PYTHONPATH. DATA holds `pad_ufes`. OUTPUT gets `pad_ufes` with the same table and all pictures, of
which those of `ink.csv` are changed. That list was made by eye from thumbnails of all 1,028 pictures on 30 November 2026,
without a look at what any model says.

In those pictures, ink is what is bluer than the skin and thinner than a lesion, by a white top-hat of the blueness. What is
blue and thin within a lesion goes too, and faded ink is left in part: look at the sheet.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy import ndimage

from paint import copied, disk, show

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of pad_ufes")
    parser.add_argument("output", type=Path, help="folder that gets pad_ufes")
    parser.add_argument("--show", type=Path, help="a sheet of pictures before and after")
    args = parser.parse_args()
    with open(Path(__file__).with_name("ink.csv"), newline="") as table:
        files = [row["file"] for row in csv.DictReader(table)]
    pairs = copied(args.data / "pad_ufes", args.output / "pad_ufes", files, ink_of)
    if args.show:
        show(pairs, args.show)


if __name__ == "__main__":
    main()
