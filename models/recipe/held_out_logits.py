"""Writes what a fold's network says of the pictures that it did not learn from, as a table for `bedside calibrate --scores`.

    python3 models/recipe/held_out_logits.py DATASET GRAPH.onnx LOGITS.csv --fold PART

The recipe of the model must be on PYTHONPATH, for its `data.py`. ONNX Runtime runs in its exact mode.
"""

import argparse
import csv
import os
from pathlib import Path

from data import FOLDS, LABELS, TRAINING_SPLITS, pictures
from dataset import fold
from predict import logits


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("graph", type=Path, help="the int8 graph of the fold")
    parser.add_argument("output", type=Path, help="where the table goes")
    parser.add_argument("--fold", required=True, help="the fold that the network was trained without, or COLUMN=START")
    args = parser.parse_args()
    _, held_out = fold(pictures(args.dataset, *TRAINING_SPLITS), args.fold, FOLDS)
    values = logits(args.graph, [args.dataset / row.file for row in held_out])
    fresh = args.output.with_suffix(".fresh")
    with open(fresh, "w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label", "group", *held_out[0].more, *(f"logit_{label}" for label in LABELS)])
        for row, line in zip(held_out, values, strict=True):
            more = row.more.values()
            writer.writerow([row.file, LABELS[row.label], row.group, *more, *(f"{value:.8g}" for value in line)])
    # At once: a table that is there is taken for whole.
    os.replace(fresh, args.output)


if __name__ == "__main__":
    main()
