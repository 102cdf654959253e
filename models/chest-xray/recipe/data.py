"""Kermany's paediatric chest X-rays and their labels, and their augmentation for training.

The recipe's scripts import this module. The pictures are grey, so one channel is kept in memory and repeated.
Augmentation works on whole batches of tensors. It does not mirror, because the heart lies on one side. Preprocessing
without augmentation is `preprocess` of `dataset.py`, which is what the runtime does with the model's manifest.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dataset import pictures as pictures_with_labels

LABELS = ["normal", "bacterial_pneumonia", "viral_pneumonia"]
TRAINING_SPLITS = ("train",)  # of the shipped network
FOLDS = 5

pictures = partial(pictures_with_labels, LABELS)


def beside_pictures(dataset):
    return []


def load(dataset, rows):
    """All pictures at their stored size as a uint8 tensor of N×1×224×224."""
    arrays = [np.asarray(Image.open(Path(dataset) / row.file).convert("L")) for row in rows]
    return torch.from_numpy(np.stack(arrays))[:, None]


def without_augmentation(pictures):
    """A batch as `preprocess` gives it: N×3×224×224, values (x − 128) / 128."""
    return ((pictures.float() - 128) / 128).expand(-1, 3, -1, -1)


def augment(pictures, side, generator):
    """An augmented batch for training: N×3×side×side, values (x − 128) / 128."""
    grid = F.affine_grid(_affine_maps(len(pictures), generator), [len(pictures), 1, side, side], align_corners=False)
    x = F.grid_sample(pictures.float() / 128, grid, mode="bilinear", padding_mode="zeros", align_corners=False) - 1
    return _exposure_jitter(x, generator).clamp(-1, 127 / 128).expand(-1, 3, -1, -1)


def _uniform(count, low, high, generator):
    return torch.empty(count).uniform_(low, high, generator=generator)


def _affine_maps(count, generator):
    """Random affine maps as N×2×3.

    They rotate by up to 10°, scale to 0.8 to 1.1 of the side, change the aspect ratio by up to 22 %, and translate by up
    to a twentieth of the side.
    """
    angle = _uniform(count, -10, 10, generator).deg2rad()
    scale = _uniform(count, 0.8, 1.1, generator)
    squash = _uniform(count, -0.1, 0.1, generator).exp()
    shift = [_uniform(count, -0.1, 0.1, generator) for _ in range(2)]
    across, down = scale * squash, scale / squash
    rows = [angle.cos() * across, -angle.sin() * down, shift[0], angle.sin() * across, angle.cos() * down, shift[1]]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def _exposure_jitter(x, generator):
    """Small random changes of gamma, contrast and brightness, and noise with a standard deviation of up to 4 grey levels."""
    shape = (len(x), 1, 1, 1)
    gamma, contrast = (_uniform(len(x), -0.25, 0.25, generator).exp().view(shape) for _ in range(2))
    brightness = _uniform(len(x), -0.2, 0.2, generator).view(shape)
    noise = _uniform(len(x), 0, 4 / 128, generator).view(shape)
    x = 2 * ((x + 1) / 2).clamp_min(1e-3) ** gamma - 1
    return x * contrast + brightness + noise * torch.empty_like(x).normal_(generator=generator)
