"""What the int8 graph does to the numbers, in torch: ranges for all activations, and rounding to eight bits.

ONNX Runtime's own ranges are the least and the greatest value seen. That is what breaks this network: convolutions
before SiLU reach far below zero, where SiLU is flat, and a few values far above the rest; both make the step coarse
where it counts. Here a range is chosen for the least mean square error, and the error is measured behind the function
that follows: what lies so far below zero that SiLU makes nothing of it may be cut off.
"""

import functools

import torch
import torch.nn.functional as F
from torch import nn

from network import NORM_MOMENTUM, Layer, Point, SqueezeExcite, Swish

LEVELS = 255  # steps of an unsigned 8-bit activation
LARGEST = 127  # of a symmetric signed 8-bit weight
SAMPLES = 40_000  # values of each activation kept for choosing its range
CUTS = torch.linspace(0, 0.9, 31) ** 1.5  # shares of the reach, below or above zero, that are tried for cutting off


def grid(low, high):
    """(scale, zero point) of an unsigned 8-bit activation, as ONNX Runtime derives them from a range."""
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    scale = max(high - low, 1e-6) / LEVELS
    return scale, int(round(-low / scale))


def rounded(x, low, high):
    return torch.fake_quantize_per_tensor_affine(x, *grid(low, high), 0, LEVELS)


def rounded_weight(weight):
    """Each output channel on its symmetric 8-bit grid; gradients pass as if it were not rounded."""
    scale = weight.detach().flatten(1).abs().amax(dim=1).clamp_min(1e-12) / LARGEST
    zero = torch.zeros(len(scale), dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -LARGEST, LARGEST)


def points_of(network):
    """{name: (Point, the function that follows it)} in the order in which they run."""
    following = {}
    for module in network.modules():
        if isinstance(module, Swish):
            following[module.before] = F.silu
        if isinstance(module, SqueezeExcite):
            following[module.answer] = torch.sigmoid
    named = [(name, module) for name, module in network.named_modules() if isinstance(module, Point)]
    return {name: (point, following.get(point, nn.Identity())) for name, point in named}


class Observer:
    """Reach and a sample of the values that pass a Point."""

    def __init__(self):
        self.low, self.high, self.parts = 0.0, 0.0, []

    def see(self, x, share):
        self.low, self.high = min(self.low, x.min().item()), max(self.high, x.max().item())
        flat = x.flatten()
        self.parts.append(flat[torch.randint(len(flat), (share,))])

    def values(self):
        return torch.cat([*self.parts, torch.tensor([self.low, self.high])])


@torch.no_grad()
def observe(network, batches):
    """{name: Observer} of all Points of the exact network over these batches."""
    observers = {name: Observer() for name in points_of(network)}
    share = SAMPLES // len(batches)

    def watcher(observer):
        return lambda module, inputs, output: observer.see(output, share)

    hooks = [p.register_forward_hook(watcher(observers[name])) for name, (p, _) in points_of(network).items()]
    for batch in batches:
        network(batch)
    for hook in hooks:
        hook.remove()
    return observers


def widest(observer, _):
    """The range from the least to the greatest value."""
    return observer.low, observer.high


def best(observer, following):
    """The range with the least mean square error behind the function that follows."""
    values = observer.values()
    exact = following(values)

    def error(low, high):
        return (following(rounded(values, low, high)) - exact).square().mean().item()

    low, high = observer.low, observer.high
    for _ in range(2):
        low = min((observer.low * (1 - cut.item()) for cut in CUTS), key=lambda value: error(value, high))
        high = min((observer.high * (1 - cut.item()) for cut in CUTS), key=lambda value: error(low, value))
    return low, high


def ranges(network, batches, choose):
    """{name: (low, high)} for all Points."""
    network.eval()
    observers = observe(network, batches)
    return {
        name: (0.0, 1.0) if name.endswith("sigmoid") else choose(observers[name], following)
        for name, (_, following) in points_of(network).items()
    }


def round_activations(network, chosen):
    for name, (point, _) in points_of(network).items():
        point.rounding = functools.partial(rounded, low=chosen[name][0], high=chosen[name][1])


def round_weights(network):
    for module in network.modules():
        if isinstance(module, Layer):
            module.weight_rounding = rounded_weight


@torch.no_grad()
def settle(network, batches):
    """Takes the statistics of all BatchNorms anew, as means over these batches.

    Rounding moves the mean of a channel whose values are far from zero and close to each other, and the BatchNorm
    behind it makes that move large. Statistics that were taken with rounding take it out again.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # all batches alike
        norm.train()
    for batch in batches:
        network(batch)
    network.eval()
    for norm in norms:
        norm.momentum = NORM_MOMENTUM


@torch.no_grad()
def put_on_grid(network):
    """Rounds the weights themselves, so that int8 has them exactly."""
    for module in network.modules():
        if isinstance(module, Layer):
            module.weight.copy_(rounded_weight(module.weight))
