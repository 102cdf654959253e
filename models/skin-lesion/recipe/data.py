"""The ISIC 2017 pictures and labels, and their augmentation for training.

The recipe's scripts import this module. Augmentation works on whole batches of tensors. Preprocessing without
augmentation is `preprocess` of `dataset.py`, which is what the runtime does with the model's manifest.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dataset import pictures as pictures_with_labels

LABELS = ["melanoma", "nevus", "seborrheic_keratosis"]
TRAINING_SPLITS = ("train", "val")  # of the shipped network
FOLDS = 3

pictures = partial(pictures_with_labels, LABELS)


def load(dataset, rows):
    """All pictures at their stored size as a uint8 tensor of N×3×256×256."""
    arrays = [np.asarray(Image.open(Path(dataset) / row.file).convert("RGB")) for row in rows]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def augment(pictures, side, generator):
    """An augmented batch for training: N×3×side×side, values (x − 128) / 128."""
    x = (pictures.float() - 128) / 128
    grid = F.affine_grid(_affine_maps(len(x), generator), [len(x), 3, side, side], align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    return _colour_jitter(x, generator).clamp(-1, 127 / 128)


def _uniform(count, low, high, generator):
    return torch.empty(count).uniform_(low, high, generator=generator)


def _affine_maps(count, generator):
    """Random affine maps as N×2×3.

    They mirror or not, rotate by a multiple of 90° ± 20°, scale to 0.65 to 1.1 of the side, change the aspect ratio by up
    to 27 %, and translate by at most half of the change of scale.
    """
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


def _colour_jitter(x, generator):
    """Colour jitter: small random changes of saturation, colour balance, contrast and brightness."""
    count = len(x)
    shape = (count, 1, 1, 1)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * _uniform(count, 0.75, 1.25, generator).view(shape)
    balance = torch.empty(count, 3, 1, 1).uniform_(0.92, 1.08, generator=generator)
    contrast = _uniform(count, 0.8, 1.25, generator).view(shape)
    brightness = _uniform(count, -0.15, 0.15, generator).view(shape)
    return ((x + 1) * balance - 1) * contrast + brightness
