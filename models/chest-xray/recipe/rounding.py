"""Fake quantization in torch with the arithmetic of the int8 graph, and the choice of activation ranges.

`finish.py` imports this module. ONNX Runtime's default ranges are the minimum and maximum of an activation. They make
the scale of this network's convolutions too coarse: the input of SiLU has values far below zero, where SiLU is flat,
and few values far above the others. Here a range has the minimum mean squared error behind the function that follows,
so that inputs for which SiLU is nearly zero may be clipped.
"""

import functools

import torch
import torch.nn.functional as F
from torch import nn

from network import NORM_MOMENTUM, Layer, QuantizationPoint, SqueezeExcite, Swish

MAX_ACTIVATION = 255  # the maximum of an unsigned 8-bit activation
MAX_WEIGHT = 127  # the maximum of a symmetric signed 8-bit weight
SAMPLES = 40_000  # the values of each activation that are kept for choosing its range
CLIPPED = torch.linspace(0, 0.9, 31) ** 1.5  # the shares of an end of the range that are tried for clipping


def quantization_parameters(low, high):
    """(scale, zero point) of an unsigned 8-bit activation, as ONNX Runtime derives them from a range."""
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    scale = max(high - low, 1e-6) / MAX_ACTIVATION
    return scale, int(round(-low / scale))


def fake_quantized(x, low, high):
    """An activation, quantized to a range and dequantized."""
    return torch.fake_quantize_per_tensor_affine(x, *quantization_parameters(low, high), 0, MAX_ACTIVATION)


def fake_quantized_weight(weight):
    """A weight, quantized per output channel and dequantized. The gradient is that of the identity."""
    scale = weight.detach().flatten(1).abs().amax(dim=1).clamp_min(1e-12) / MAX_WEIGHT
    zero = torch.zeros(len(scale), dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -MAX_WEIGHT, MAX_WEIGHT)


def quantization_points(network):
    """{name: (QuantizationPoint, function that follows it)} in order of execution."""
    following = {}
    for module in network.modules():
        if isinstance(module, Swish):
            following[module.before] = F.silu
        if isinstance(module, SqueezeExcite):
            following[module.answer] = torch.sigmoid
    named = [(name, module) for name, module in network.named_modules() if isinstance(module, QuantizationPoint)]
    return {name: (point, following.get(point, nn.Identity())) for name, point in named}


class Observer:
    """The minimum, the maximum and a random sample of the values at a point."""

    def __init__(self):
        self.low, self.high, self.parts = 0.0, 0.0, []

    def add(self, x, count):
        self.low, self.high = min(self.low, x.min().item()), max(self.high, x.max().item())
        flat = x.flatten()
        self.parts.append(flat[torch.randint(len(flat), (count,))])

    def values(self):
        return torch.cat([*self.parts, torch.tensor([self.low, self.high])])


@torch.no_grad()
def observe(network, batches):
    """{name: Observer} of all points over these batches, without quantization of activations."""
    observers = {name: Observer() for name in quantization_points(network)}
    count = SAMPLES // len(batches)

    def hook(observer):
        return lambda module, inputs, output: observer.add(output, count)

    handles = [p.register_forward_hook(hook(observers[name])) for name, (p, _) in quantization_points(network).items()]
    for batch in batches:
        network(batch)
    for handle in handles:
        handle.remove()
    return observers


def min_error_range(observer, following):
    """The range with the minimum mean squared error behind the function that follows."""
    values = observer.values()
    exact = following(values)

    def error(low, high):
        return (following(fake_quantized(values, low, high)) - exact).square().mean().item()

    low, high = observer.low, observer.high
    for _ in range(2):
        low = min((observer.low * (1 - share.item()) for share in CLIPPED), key=lambda value: error(value, high))
        high = min((observer.high * (1 - share.item()) for share in CLIPPED), key=lambda value: error(low, value))
    return low, high


def activation_ranges(network, batches, choose):
    """{name: (low, high)} of all points, chosen by `choose(observer, following)`. A sigmoid's range is (0, 1)."""
    network.eval()
    observers = observe(network, batches)
    return {
        name: (0.0, 1.0) if name.endswith("sigmoid") else choose(observers[name], following)
        for name, (_, following) in quantization_points(network).items()
    }


def fake_quantize_activations(network, ranges):
    """Gives each point a quantizer with its range."""
    for name, (point, _) in quantization_points(network).items():
        point.quantizer = functools.partial(fake_quantized, low=ranges[name][0], high=ranges[name][1])


def fake_quantize_weights(network):
    """Gives each layer a weight quantizer."""
    for module in network.modules():
        if isinstance(module, Layer):
            module.weight_quantizer = fake_quantized_weight


@torch.no_grad()
def estimate_batchnorm(network, batches):
    """Replaces the statistics of all BatchNorms by the means over these batches.

    Quantization shifts the mean of a channel, and BatchNorm amplifies the shift if the variance of the channel is small.
    Statistics that are estimated with quantization correct it.
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
        norm.train()
    for batch in batches:
        network(batch)
    network.eval()
    for norm in norms:
        norm.momentum = NORM_MOMENTUM


@torch.no_grad()
def quantize_weights(network):
    """Replaces the weights by their quantized and dequantized values, which int8 represents exactly."""
    for module in network.modules():
        if isinstance(module, Layer):
            module.weight.copy_(fake_quantized_weight(module.weight))
