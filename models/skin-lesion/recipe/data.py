"""The ISIC 2017 pictures and labels, how they are prepared for the network, and how training varies them.

Preparation is what the runtime does with the manifest beside this folder: the whole picture stretched to 224×224 by
Pillow's antialiased bilinear filter, then (x − 128) / 128. Variation happens on whole batches of tensors at once, so
that two cores suffice for training.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from sklearn.model_selection import StratifiedGroupKFold

LABELS = ["melanoma", "nevus", "seborrheic_keratosis"]
SIDE = 224
FOLDS = 3
FOLD_SEED = 20261123


@dataclass(frozen=True)
class Picture:
    """One row of labels.csv; `label` is an index into LABELS."""

    file: str
    split: str
    label: int
    group: str


def pictures(dataset, *splits):
    """The rows of the given splits, in the order of the file names."""
    with open(Path(dataset) / "labels.csv", newline="") as table:
        rows = [Picture(r["file"], r["split"], LABELS.index(r["label"]), r["group"]) for r in csv.DictReader(table)]
    return sorted((row for row in rows if row.split in splits), key=lambda row: row.file)


def labels_of(rows):
    return np.array([row.label for row in rows])


def fold(rows, index):
    """(rows to learn from, rows held out) of one cross-validation fold; no group stands on both sides."""
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=FOLD_SEED)
    learn, hold = list(splitter.split(rows, labels_of(rows), [row.group for row in rows]))[index]
    return [rows[i] for i in learn], [rows[i] for i in hold]


def prepare(path):
    """A 1×3×224×224 float32 array, as the runtime prepares the picture."""
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
    return np.ascontiguousarray(((pixels - 128) / 128).transpose(2, 0, 1)[None])


def load(dataset, rows):
    """All pictures in memory at their stored 256×256: N×3×256×256, uint8."""
    arrays = [np.asarray(Image.open(Path(dataset) / row.file).convert("RGB")) for row in rows]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def vary(pictures, side, generator):
    """A varied batch for training: N×3×side×side of values (x − 128) / 128."""
    x = (pictures.float() - 128) / 128
    grid = F.affine_grid(_placement(len(x), generator), [len(x), 3, side, side], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _recolour(x, generator).clamp(-1, 127 / 128)


def _uniform(count, low, high, generator):
    return torch.empty(count).uniform_(low, high, generator=generator)


def _placement(count, generator):
    """Affine maps: mirrored or not, a multiple of 90° ± 20°, 0.65 to 1.1 of the side, squashed, moved."""
    quarter = torch.randint(4, (count,), generator=generator)
    angle = (quarter * 90 + _uniform(count, -20, 20, generator)).deg2rad()
    scale = _uniform(count, 0.65, 1.1, generator)
    squash = _uniform(count, -0.12, 0.12, generator).exp()
    mirror = torch.randint(2, (count,), generator=generator) * 2 - 1
    room = (1 - scale).abs()
    shift = [_uniform(count, -1, 1, generator) * room for _ in range(2)]
    across, down = scale * squash * mirror, scale / squash
    rows = [angle.cos() * across, -angle.sin() * down, shift[0], angle.sin() * across, angle.cos() * down, shift[1]]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def _recolour(x, generator):
    """Contrast, saturation, colour cast and brightness, each a little."""
    count = len(x)
    shape = (count, 1, 1, 1)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * _uniform(count, 0.75, 1.25, generator).view(shape)
    cast = torch.empty(count, 3, 1, 1).uniform_(0.92, 1.08, generator=generator)
    contrast = _uniform(count, 0.8, 1.25, generator).view(shape)
    brightness = _uniform(count, -0.15, 0.15, generator).view(shape)
    return ((x + 1) * cast - 1) * contrast + brightness
