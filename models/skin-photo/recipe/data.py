"""The pictures of PAD-UFES-20 and their labels, what is learned beside them, and their augmentation for training.

`models/recipe/train.py` says what a recipe's `data.py` has. DATA holds `pad_ufes` and `isic2017`.
"""

import csv
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F

from augment import of_skin
from dataset import bytes_of, labels_of, pictures_of
from schedule import Beside, Schedule

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

NETWORK = "mobilenet_v2"
PLAIN = Schedule(seen=11_000, small=160, large=0.34, besides=False)
SCHEDULES = [replace(PLAIN, seen=16_000, besides=True), replace(PLAIN, smoothing=0.1), replace(PLAIN, mixup=0.2)]


def pictures(root, *splits):
    """The phones' photos of these splits, with what the card reports by. A group is a patient."""
    with open(Path(__file__).with_name("ink.csv"), newline="") as table:
        inked = {f"pad_ufes/{row['file']}" for row in csv.DictReader(table)}
    rows = pictures_of(root, "pad_ufes", LABELS, *splits, more=("age", "sex", "fitzpatrick", "biopsied", "region"))
    rows = [replace(row, more={**row.more, "inked": row.file in inked}) for row in rows]
    return [replace(row, more={**row.more, "in_scope": is_in_scope(row.more)}) for row in rows]


def is_in_scope(known):
    """Whether nothing that is known of a picture is what the app's questions ask for. Of many, age or skin type is not known."""
    is_adult = not known["age"] or float(known["age"]) >= 18
    burns = not known["fitzpatrick"] or float(known["fitzpatrick"]) < 4
    return is_adult and burns and known["region"] not in ("LIP", "SCALP") and not known["inked"]


def load(root, rows):
    return bytes_of(root, rows, STORED, "RGB")


def beside_pictures(root):
    return pictures_of(root, "isic2017", LABELS, "train", "val")


def besides(root, rows):
    """Three pictures of ten are of dermatoscopes, for which there are many more melanomas and nevi."""
    dermoscopic = beside_pictures(root)
    targets = F.one_hot(torch.from_numpy(labels_of(dermoscopic)), len(LABELS)).float()
    return [Beside(load(root, dermoscopic), targets, share=0.3, weight=0.7)]


augment = of_skin
