"""The ISIC 2017 pictures and labels, how they are prepared for the network, and how training varies them.

Preparation is what the runtime does with the manifest beside this folder: the whole picture stretched to 224×224 by
Pillow's antialiased bilinear filter, then (x − 128) / 128. Variation happens on whole batches of tensors at once, so
that two cores suffice for training.
"""

from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from dataset import pictures as with_labels

LABELS = ["melanoma", "nevus", "seborrheic_keratosis"]
LEARNED = ("train", "val")  # the splits that the shipped network learns from
LEARNED_FROM = "the ISIC 2017 train and val splits"
FOLDS = 3

pictures = partial(with_labels, LABELS)


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
