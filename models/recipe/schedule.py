"""The learning rate schedule and the class weights of training. The recipes import this module."""

import math

import numpy as np
import torch

WARM_UP = 0.08  # the share of all steps in which the rate rises


def rate_factor(progress):
    """The factor of the learning rate at a share of all steps: a linear warm-up, then cosine decay to 0."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def class_weights(labels, classes):
    """The inverse square root of each class's share, scaled so that the mean weight of the pictures is 1."""
    share = np.bincount(labels, minlength=classes) / len(labels)
    weights = share**-0.5
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)
