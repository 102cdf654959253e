"""The pictures of PAD-UFES-20 and their labels, and their augmentation for training.

`models/recipe/train.py` says what a recipe's `data.py` has. DATA holds `pad_ufes`.
"""

import csv
from dataclasses import replace
from pathlib import Path

from augment import of_skin
from dataset import bytes_of, pictures_of
from schedule import Schedule

LABELS = [
    "melanoma",
    "squamous_cell_carcinoma",
    "basal_cell_carcinoma",
    "actinic_keratosis",
    "nevus",
    "seborrheic_keratosis",
]
TRAINING_SPLITS = ("train", "val")
FOLDS = 5
STORED = 256  # the side at which pictures are kept in memory

SCHEDULE = Schedule(network="mobilenet_v2", seen=20_000, small=160, large=0.34)


def pictures(root, *splits):
    """The phones' photos of these splits, with what the card reports by. A group is a patient."""
    with open(Path(__file__).with_name("ink.csv"), newline="") as table:
        inked = {f"pad_ufes/{row['file']}" for row in csv.DictReader(table)}
    rows = pictures_of(root, "pad_ufes", LABELS, *splits, more=("age", "sex", "fitzpatrick", "biopsied"))
    return [replace(row, more={**row.more, "inked": row.file in inked}) for row in rows]


def load(root, rows):
    return bytes_of(root, rows, STORED, "RGB")


def besides(root, rows):
    return []


augment = of_skin
