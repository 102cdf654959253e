"""Writes thumbnails of the urgent pictures that an evaluation missed, for the model's card.

    python3 models/recipe/missed.py DATA CARD.md EVALUATION.json …

They go into `missed/` beside the card, at most 128 pixels a side, in place of those that are there: name all evaluations at
once. Only for pictures whose licence allows it.
"""

import argparse
from pathlib import Path

from PIL import Image

from card import evaluation_of, thumbnail_of

SIDE = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of all data sets")
    parser.add_argument("card", type=Path)
    parser.add_argument("evaluations", type=Path, nargs="+", metavar="EVALUATION.json")
    args = parser.parse_args()
    folder = args.card.parent / "missed"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.jpg"):
        old.unlink()
    for path in args.evaluations:
        for miss in evaluation_of(path)["urgent_misses"]:
            with Image.open(args.data / miss["file"]) as picture:
                picture.thumbnail((SIDE, SIDE))
                picture.convert("RGB").save(folder / thumbnail_of(miss["file"]), quality=80)


if __name__ == "__main__":
    main()
