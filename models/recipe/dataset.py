"""Reads a dataset of labelled pictures, splits it into folds, and preprocesses a picture as the runtime does.

A dataset is a folder with `labels.csv` (`file,split,label,group`) and the pictures that the column `file` names. Several lie
in one folder. The recipes import this module.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.model_selection import StratifiedGroupKFold

SIDE = 224
FOLD_SEED = 20261123


@dataclass(frozen=True)
class Picture:
    """A row of labels.csv. `label` is an index into the labels of the model, `more` has other columns that were asked for."""

    file: str
    split: str
    label: int
    group: str
    more: dict = field(default_factory=dict, hash=False)


def pictures(labels, dataset, *splits):
    """The rows of the given splits, sorted by file name."""
    with open(Path(dataset) / "labels.csv", newline="") as table:
        rows = [Picture(r["file"], r["split"], labels.index(r["label"]), r["group"]) for r in csv.DictReader(table)]
    return sorted((row for row in rows if row.split in splits), key=lambda row: row.file)


def pictures_of(root, name, labels, *splits, rename=None, more=()):
    """The rows of a set that lies in a folder with others, as far as the model has a label for them.

    A file is named by its path below that folder. `rename` has a model's label for labels that the set calls otherwise, `more`
    the columns that are kept besides. A group is one of its set alone.
    """
    with open(Path(root) / name / "labels.csv", newline="") as table:
        read = [(row, (rename or {}).get(row["label"], row["label"])) for row in csv.DictReader(table)]
    rows = [
        Picture(
            f"{name}/{row['file']}",
            row["split"],
            labels.index(label),
            f"{name}/{row['group']}",
            {column: row.get(column, "") for column in more},
        )
        for row, label in read
        if row["split"] in splits and label in labels
    ]
    return sorted(rows, key=lambda row: row.file)


def bytes_of(root, rows, side, mode):
    """Pictures stretched to a square, as a tensor of bytes: N×3×side×side of the mode RGB, N×1×side×side of L."""
    import torch  # what scores graphs does not need it

    def read(row):
        with Image.open(Path(root) / row.file) as image:
            return np.asarray(image.convert(mode).resize((side, side), Image.Resampling.BILINEAR)).reshape(side, side, -1)

    return torch.from_numpy(np.stack([read(row) for row in rows]).transpose(0, 3, 1, 2).copy())


def write_table(path, rows, labels, extra):
    """Writes rows as the table that `bedside calibrate` and `evaluate` take; `extra` has one column's name and its values."""
    name, values = extra
    more = list(rows[0].more)
    with open(path, "w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label", "group", *more, name])
        for row, value in zip(rows, values, strict=True):
            writer.writerow([row.file, labels[row.label], row.group, *row.more.values(), value])


def labels_of(rows):
    """The label indices of rows as an array."""
    return np.array([row.label for row in rows])


def fold(rows, part, folds):
    """(training rows, held-out rows). No group has rows on both sides.

    `part` is the index of one of `folds`, or COLUMN=START: what has a value in that column that starts so is held out.
    """
    if "=" in str(part):
        column, start = part.split("=", 1)
        held_out = [row for row in rows if row.more[column].startswith(start)]
        groups = {row.group for row in held_out}
        return [row for row in rows if row.group not in groups], held_out
    index = int(part)
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=FOLD_SEED)
    training, held_out = list(splitter.split(rows, labels_of(rows), [row.group for row in rows]))[index]
    return [rows[i] for i in training], [rows[i] for i in held_out]


def preprocess(path):
    """The picture of a file as `tensor_of` gives it."""
    with Image.open(path) as image:
        return tensor_of(image)


def tensor_of(image):
    """A 1×3×224×224 float32 array: the whole picture, stretched by an antialiased bilinear filter, as (x − 128) / 128."""
    pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
    return np.ascontiguousarray(((pixels - 128) / 128).transpose(2, 0, 1)[None])
