"""What training is told: its schedule, what is learned besides, learning rates and class weights. The recipes import this module."""

import math
from dataclasses import dataclass

import numpy as np
import torch

WARM_UP = 0.08  # the share of all steps in which the rate rises


@dataclass(frozen=True)
class Beside:
    """Pictures of bytes that a share of each batch is drawn from, their targets as N×labels, and their weight in the loss."""

    pictures: torch.Tensor
    targets: torch.Tensor
    share: float
    weight: float


@dataclass(frozen=True)
class Schedule:
    seen: int  # pictures, those beside counted in
    small: int  # the side at first
    large: float  # the share of the steps at the network's own side, at the end
    batch: int = 16
    rate: float = 2e-4
    head_rate: float = 1e-3
    decay: float = 0.02
    frozen_blocks: int = 4  # the stem counts as one
    average_decay: float = 0.998
    mixup: float = 0.0  # α of the Beta distribution that two pictures are mixed by (Zhang et al. 2018, arXiv:1710.09412)
    smoothing: float = 0.0  # the share of the target that all labels have alike (Szegedy et al. 2016, arXiv:1512.00567)
    besides: bool = True  # whether what is learned beside the pictures is

    @property
    def steps(self):
        return self.seen // self.batch


def rate_factor(progress):
    """The factor of the learning rate at a share of all steps: a linear warm-up, then cosine decay to 0."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def class_weights(labels, classes):
    """The inverse square root of each class's share, scaled so that the mean weight of the pictures is 1."""
    share = np.maximum(np.bincount(labels, minlength=classes), 1) / len(labels)
    weights = share**-0.5
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)
