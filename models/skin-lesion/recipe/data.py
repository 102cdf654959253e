"""The pictures of ISIC 2017 and their labels, and their augmentation for training.

`models/recipe/train.py` says what a recipe's `data.py` has. DATA holds `isic2017`.
"""

from augment import of_dermatoscope
from dataset import bytes_of, pictures_of
from schedule import Schedule

LABELS = ["melanoma", "nevus", "seborrheic_keratosis"]
TRAINING_SPLITS = ("train", "val")
FOLDS = 3
STORED = 256  # the side of the pictures as they are

NETWORK = "lite0"
PLAIN = Schedule(seen=20_000, small=160, large=0.34)
SCHEDULES = [PLAIN]


def pictures(root, *splits):
    """The dermatoscopes' pictures of these splits. A group is pictures that show the same lesion, as far as is known."""
    return pictures_of(root, "isic2017", LABELS, *splits)


def load(root, rows):
    return bytes_of(root, rows, STORED, "RGB")


def beside_pictures(root):
    return []


def besides(root, rows):
    return []


augment = of_dermatoscope
