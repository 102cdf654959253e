"""How fast a network learns at which moment, and how much each class weighs."""

import math

import numpy as np
import torch

WARM_UP = 0.08


def rate_at(progress):
    """Share of the full learning rate: a short rise, then half a cosine."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def class_weights(labels, classes):
    """The inverse square root of each class's share, scaled so that the mean over the pictures is 1."""
    share = np.bincount(labels, minlength=classes) / len(labels)
    weights = share**-0.5
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)
