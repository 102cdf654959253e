"""The pictures of PAD-UFES-20 and their labels, what is learned beside them, and their augmentation for training.

`models/recipe/train.py` says what a recipe's `data.py` has. DATA holds `pad_ufes` and `isic2017`.
"""

import torch
import torch.nn.functional as F

import augment as change
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

SCHEDULE = Schedule(network="mobilenet_v2", seen=20_000, small=160, large=0.34)


def pictures(root, *splits):
    """The phones' photos of these splits. A group is a patient."""
    return pictures_of(root, "pad_ufes", LABELS, *splits)


def load(root, rows):
    return bytes_of(root, rows, STORED, "RGB")


def besides(root, rows):
    """Three pictures of ten are of dermatoscopes, for which there are many more melanomas and nevi."""
    dermoscopic = pictures_of(root, "isic2017", LABELS, "train", "val")
    targets = F.one_hot(torch.from_numpy(labels_of(dermoscopic)), len(LABELS)).float()
    return [Beside(load(root, dermoscopic), targets, share=0.3, weight=0.7)]


def augment(pictures, side, generator):
    """Another place, distance and turn; another camera, light and pen; saved again, and with fewer pixels."""
    x = change.placed(
        change.inked(pictures, generator, 0.1),
        side,
        generator,
        quarters=True,
        mirror=True,
        turn=45,
        least=0.6,
        squash=0.12,
        beyond="reflection",
    )
    x = change.shaded(change.recoloured(x, generator), generator, 0.5)
    x = change.noisy(change.coarser(x, generator, 0.3, 0.4), generator, 0.02)
    return change.as_input(change.resaved(x, generator, 0.3, (30, 92)))
