"""Writes the pictures of a split as a table: file, label, group and split.

    python3 models/recipe/split.py DATA TABLE.csv SPLIT

The recipe of the model must be on PYTHONPATH, for its `data.py`. DATA is the folder of all data sets.
"""

import argparse
import csv
from pathlib import Path

from data import LABELS, pictures


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of all data sets")
    parser.add_argument("output", type=Path, help="where the table goes")
    parser.add_argument("split")
    args = parser.parse_args()
    with open(args.output, "w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label", "group", "split"])
        writer.writerows((row.file, LABELS[row.label], row.group, row.split) for row in pictures(args.data, args.split))


if __name__ == "__main__":
    main()
