"""Writes the pictures of a split as a table: file, label, group, the columns to report by, and split.

    python3 models/recipe/split.py DATA TABLE.csv SPLIT

The recipe of the model must be on PYTHONPATH, for its `data.py`. DATA is the folder of all data sets.
"""

import argparse
from pathlib import Path

from data import LABELS, pictures
from dataset import write_table


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of all data sets")
    parser.add_argument("output", type=Path, help="where the table goes")
    parser.add_argument("split")
    args = parser.parse_args()
    rows = pictures(args.data, args.split)
    write_table(args.output, rows, LABELS, ("split", [row.split for row in rows]))


if __name__ == "__main__":
    main()
