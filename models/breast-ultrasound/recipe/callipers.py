"""Copies BUS-BRA and BUSI with callipers and words of the scanner painted over, to measure what the model makes of them.

    python3 models/breast-ultrasound/recipe/callipers.py DATA OUTPUT [--show SHEET.png]

`models/recipe` must be on PYTHONPATH. DATA holds `bus_bra` and `busi`, and OUTPUT gets both, with all frames of the splits
train and val changed. A mark is a small, bright, thin shape, by a white top-hat. Bright points of tissue go too, and marks that
are as dark as tissue stay: look at the sheet, which has every twentieth frame.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy import ndimage

from paint import copied, show

BRIGHTER = 70  # grey levels of a mark above its surroundings
OF_BRIGHTEST = 0.75  # of the brightest grey of the frame
WIDTH = 7  # pixels that a mark's stroke is thinner than, where a frame has 256
MOST = 120  # pixels of one mark


def marks_of(pixels):
    """Which pixels of H×W×3 bytes have a mark."""
    grey = pixels.max(axis=2)
    scale = max(grey.shape) / 256
    lines = ndimage.white_tophat(grey, size=round(WIDTH * scale)) > BRIGHTER
    lines &= grey > OF_BRIGHTEST * grey.max()
    spots, count = ndimage.label(lines, np.ones((3, 3)))
    sizes = ndimage.sum_labels(lines, spots, range(count + 1))
    return ndimage.binary_dilation(lines & (sizes[spots] <= MOST * scale**2), iterations=2)


def files_of(folder):
    """The frames of train and val in a set's folder."""
    with open(folder / "labels.csv", newline="") as table:
        return [row["file"] for row in csv.DictReader(table) if row["split"] in ("train", "val")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of bus_bra and busi")
    parser.add_argument("output", type=Path, help="folder that gets both")
    parser.add_argument("--show", type=Path, help="a sheet of frames before and after")
    args = parser.parse_args()
    pairs = []
    for name in ("bus_bra", "busi"):
        pairs += copied(args.data / name, args.output / name, files_of(args.data / name), marks_of)
    if args.show:
        show(pairs[::20], args.show)


if __name__ == "__main__":
    main()
