"""Writes into a manifest which pictures its network learned from, as `provenance.training_sha256`, and takes out the
calibration, which was that of another network.

    python3 models/recipe/learned.py DATASET MANIFEST.json [--fold N]

The recipe of the model must be on PYTHONPATH, for its `data.py`. Each picture is named by the first 16 hex digits of the
SHA-256 of its file, so that `bedside calibrate` refuses it.
"""

import argparse
import hashlib
import json
from pathlib import Path

from data import FOLDS, TRAINING_SPLITS, beside_pictures, pictures
from dataset import fold


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--fold", type=int, help="the fold that the network did not learn from")
    args = parser.parse_args()
    rows = pictures(args.dataset, *TRAINING_SPLITS)
    if args.fold is not None:
        rows, _ = fold(rows, args.fold, FOLDS)
    rows += beside_pictures(args.dataset)
    prefixes = {hashlib.sha256((args.dataset / row.file).read_bytes()).hexdigest()[:16] for row in rows}
    manifest = json.loads(args.manifest.read_text())
    manifest.pop("calibration", None)
    manifest["provenance"]["training_sha256"] = sorted(prefixes)
    args.manifest.write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")


if __name__ == "__main__":
    main()
