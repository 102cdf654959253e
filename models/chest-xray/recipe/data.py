"""Kermany's paediatric chest X-rays and their labels, how they are prepared, and how training varies them.

Preparation is what the runtime does with the manifest beside this folder: the whole picture stretched to 224×224 by
Pillow's antialiased bilinear filter, then (x − 128) / 128. The pictures are grey, so one channel is kept in memory and
repeated. They are not mirrored: the heart lies on one side. Variation happens on whole batches of tensors at once, so
that two cores suffice for training.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dataset import pictures as with_labels

LABELS = ["normal", "bacterial_pneumonia", "viral_pneumonia"]
LEARNED = ("train",)  # the splits that the shipped network learns from
LEARNED_FROM = "Kermany's train split"
FOLDS = 5

pictures = partial(with_labels, LABELS)


def load(dataset, rows):
    """All pictures in memory at their stored 224×224, one grey channel: N×1×224×224, uint8."""
    arrays = [np.asarray(Image.open(Path(dataset) / row.file).convert("L")) for row in rows]
    return torch.from_numpy(np.stack(arrays))[:, None]


def plain(pictures):
    """A batch as `prepare` gives it: N×3×224×224 of values (x − 128) / 128."""
    return ((pictures.float() - 128) / 128).expand(-1, 3, -1, -1)


def vary(pictures, side, generator):
    """A varied batch for training: N×3×side×side of values (x − 128) / 128."""
    grid = F.affine_grid(_placement(len(pictures), generator), [len(pictures), 1, side, side], align_corners=False)
    x = F.grid_sample(pictures.float() / 128, grid, mode="bilinear", padding_mode="zeros", align_corners=False) - 1
    return _expose(x, generator).clamp(-1, 127 / 128).expand(-1, 3, -1, -1)


def _uniform(count, low, high, generator):
    return torch.empty(count).uniform_(low, high, generator=generator)


def _placement(count, generator):
    """Affine maps: turned by up to 10°, 0.8 to 1.1 of the side, squashed, moved; black beyond the edge."""
    angle = _uniform(count, -10, 10, generator).deg2rad()
    scale = _uniform(count, 0.8, 1.1, generator)
    squash = _uniform(count, -0.1, 0.1, generator).exp()
    shift = [_uniform(count, -0.1, 0.1, generator) for _ in range(2)]
    across, down = scale * squash, scale / squash
    rows = [angle.cos() * across, -angle.sin() * down, shift[0], angle.sin() * across, angle.cos() * down, shift[1]]
    return torch.stack(rows, dim=1).view(count, 2, 3)


def _expose(x, generator):
    """Gamma, contrast and brightness, each a little, and grain of up to four grey levels (standard deviation)."""
    shape = (len(x), 1, 1, 1)
    gamma, contrast = (_uniform(len(x), -0.25, 0.25, generator).exp().view(shape) for _ in range(2))
    brightness = _uniform(len(x), -0.2, 0.2, generator).view(shape)
    grain = _uniform(len(x), 0, 4 / 128, generator).view(shape)
    x = 2 * ((x + 1) / 2).clamp_min(1e-3) ** gamma - 1
    return x * contrast + brightness + grain * torch.empty_like(x).normal_(generator=generator)
