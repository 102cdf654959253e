"""A dataset of pictures with labels, its folds, and how the runtime prepares a picture for the shipped models."""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.model_selection import StratifiedGroupKFold

SIDE = 224
FOLD_SEED = 20261123


@dataclass(frozen=True)
class Picture:
    """One row of labels.csv; `label` is an index into the model's labels."""

    file: str
    split: str
    label: int
    group: str


def pictures(labels, dataset, *splits):
    """The rows of the given splits, in the order of the file names."""
    with open(Path(dataset) / "labels.csv", newline="") as table:
        rows = [Picture(r["file"], r["split"], labels.index(r["label"]), r["group"]) for r in csv.DictReader(table)]
    return sorted((row for row in rows if row.split in splits), key=lambda row: row.file)


def labels_of(rows):
    return np.array([row.label for row in rows])


def fold(rows, index, folds):
    """(rows to learn from, rows held out) of one of so many folds; no group stands on both sides."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=FOLD_SEED)
    learn, hold = list(splitter.split(rows, labels_of(rows), [row.group for row in rows]))[index]
    return [rows[i] for i in learn], [rows[i] for i in hold]


def prepare(path):
    """A 1×3×224×224 float32 array: the whole picture stretched (bilinear, antialiased), then (x − 128) / 128."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
    return np.ascontiguousarray(((pixels - 128) / 128).transpose(2, 0, 1)[None])
