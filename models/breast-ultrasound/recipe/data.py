"""The frames of BUS-BRA and BUSI and their labels, what is learned beside them, and their augmentation for training.

`models/recipe/train.py` says what a recipe's `data.py` has. DATA holds `bus_bra` and `busi`. The frames are grey, so that one
channel is kept in memory and repeated.
"""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import augment as change
from dataset import bytes_of, pictures_of
from schedule import Beside, Schedule

LABELS = ["malignant", "benign", "no_lesion"]
TRAINING_SPLITS = ("train", "val")
FOLDS = 5
MORE = ("device", "histology", "birads")  # known of BUS-BRA alone
STORED = 256  # the side at which frames are kept in memory

NETWORK = "mobilenet_v2"
PLAIN = Schedule(seen=12_000, small=160, large=0.34)
SCHEDULES = [replace(PLAIN, smoothing=0.1), replace(PLAIN, mixup=0.2)]


def pictures(root, *splits):
    """The frames of these splits, without those of BUSI whose duplicates have another label.

    A group is a patient of BUS-BRA, or frames of BUSI that repeat each other: whose those are is not known.
    """
    with open(Path(root) / "busi" / "conflicts.csv", newline="") as table:
        conflicts = {f"busi/{row['file']}" for row in csv.DictReader(table)}
    busi = pictures_of(root, "busi", LABELS, *splits, rename={"normal": "no_lesion"}, more=MORE)
    frames = pictures_of(root, "bus_bra", LABELS, *splits, more=MORE) + [row for row in busi if row.file not in conflicts]
    return [replace(row, more={"set": row.file.split("/")[0], **row.more}) for row in frames]


def load(root, rows):
    return bytes_of(root, rows, STORED, "L")


def beside_pictures(root):
    return []


def besides(root, rows):
    """One frame of sixteen is the part of a frame beside its lesion: else no lesion was seen only in frames of one hospital."""
    parts = parts_without_lesion(root, rows)
    if parts is None:
        return []
    targets = torch.zeros(len(parts), len(LABELS))
    targets[:, LABELS.index("no_lesion")] = 1
    return [Beside(parts, targets, share=1 / 16, weight=1.0)]


def parts_without_lesion(root, rows):
    """What is left and right of the lesion in these frames of BUS-BRA, where that is three tenths of the width or more.

    A part has the aspect ratio of its frame, so that it is stretched no more, and the middle of its height. None where there are
    no such parts.
    """
    with open(Path(root) / "bus_bra" / "labels.csv", newline="") as table:
        masks = {f"bus_bra/{row['file']}": row["mask"] for row in csv.DictReader(table) if row["mask"]}
    parts = []
    for row in rows:
        if row.file not in masks:
            continue
        frame = Image.open(Path(root) / row.file).convert("L")
        width, height = frame.size
        mask = Image.open(Path(root) / "bus_bra" / masks[row.file]).convert("L").resize(frame.size)
        columns = np.flatnonzero(np.asarray(mask).any(axis=0))
        if not len(columns):
            raise SystemExit(f"{masks[row.file]}: the mask is empty; leave the row without one")
        gap = 0.04 * width
        for left, right in ((0, columns[0] - gap), (columns[-1] + gap, width)):
            if right - left >= 0.3 * width:
                top = (height - (right - left) * height / width) / 2
                part = frame.crop((int(left), int(top), int(right), int(height - top)))
                parts.append(np.asarray(part.resize((STORED, STORED), Image.Resampling.BILINEAR)))
    return torch.from_numpy(np.stack(parts)[:, None]) if parts else None


def augment(frames, side, generator):
    """Another place and depth; another gain, compensation and speckle; other callipers and words; saved again, and coarser."""
    x = change.placed(
        change.labelled(frames, generator, 0.3),
        side,
        generator,
        quarters=False,
        mirror=True,
        turn=8,
        least=0.6,
        squash=0.18,
        beyond="zeros",
    )
    x = change.compensated(change.exposed(x, generator, 0.3, 0.2), generator)
    x = change.noisy(change.coarser(change.speckled(x, generator, 0.25), generator, 0.4, 0.4), generator, 0.02)
    return change.as_input(change.resaved(x, generator, 0.3, (40, 92)))
