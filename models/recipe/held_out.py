"""Writes which pictures a fold holds out, as the table that `bedside calibrate` and `bedside evaluate` take.

    python3 models/recipe/held_out.py DATASET LABELS.csv [--fold N]

Without --fold it writes the pictures of all folds, with a column `fold` that counts from 1.

The recipe of the model must be on PYTHONPATH, for its `data.py`.
"""

import argparse
from pathlib import Path

from data import FOLDS, LABELS, TRAINING_SPLITS, pictures
from dataset import fold, write_table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("output", type=Path, help="where the table goes")
    parser.add_argument("--fold", type=int)
    args = parser.parse_args()
    rows = pictures(args.dataset, *TRAINING_SPLITS)
    folds = range(FOLDS) if args.fold is None else [args.fold]
    held_out = [(row, index + 1) for index in folds for row in fold(rows, index, FOLDS)[1]]
    write_table(args.output, [row for row, _ in held_out], LABELS, ("fold", [index for _, index in held_out]))


if __name__ == "__main__":
    main()
