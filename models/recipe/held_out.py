"""Writes which pictures a fold holds out, as the table that `bedside calibrate` and `bedside evaluate` take.

    python3 models/recipe/held_out.py DATASET LABELS.csv --fold N

The recipe of the model must be on PYTHONPATH, for its `data.py`.
"""

import argparse
import csv
from pathlib import Path

from data import FOLDS, LABELS, TRAINING_SPLITS, pictures
from dataset import fold


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("output", type=Path, help="where the table goes")
    parser.add_argument("--fold", type=int, required=True)
    args = parser.parse_args()
    _, held_out = fold(pictures(args.dataset, *TRAINING_SPLITS), args.fold, FOLDS)
    with open(args.output, "w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label", "group"])
        writer.writerows((row.file, LABELS[row.label], row.group) for row in held_out)


if __name__ == "__main__":
    main()
