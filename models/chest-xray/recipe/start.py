"""Where training starts: EfficientNet-Lite0's ImageNet weights in EfficientNet-B0.

Lite0 has B0's convolutions, but no squeeze-and-excite and ReLU6 for SiLU. Each gate starts at the same constant for
every picture, and the projection after it takes that out again. SiLU in ReLU6's place would undo what the weights know:
it bends around zero, never saturates, and in Lite0's first blocks, which count on saturation, values reach 250. So for
each channel the closest r·SiLU(s·x) + c to ReLU6(x) is found, over the normal distribution that its BatchNorm gives x;
s goes into that BatchNorm, r and c into the convolution and BatchNorm that follow. s is bounded so that s·x stays
small, which int8 will need.
"""

import torch
import torch.nn.functional as F
from torch import nn

from network import GATE_START, EfficientNetB0, Layer

REACH = 16.0  # largest magnitude of s·x
NODES = torch.special.ndtri((torch.arange(400) + 0.5) / 400)  # a normal distribution in 400 equal shares
SHARPNESSES = torch.linspace(0.5, 1.33, 12)  # of s: r stays near 1, so that no weight towers over those beside it
TINY = 1e-9


def pretrained(lite0, classes):
    """The network with Lite0's features and a new head, small at first so that training starts near even odds."""
    network = EfficientNetB0(classes)
    carry_over(network, torch.load(lite0, map_location="cpu", weights_only=True))
    nn.init.normal_(network.head.weight, std=0.01)
    nn.init.zeros_(network.head.bias)
    see_grey(network.blocks[0][0])
    return network


@torch.no_grad()
def see_grey(stem):
    """Gives all three colours the mean of their weights, which for grey pictures is the same, and stays so in training.

    Where a filter tells colours apart, its weights cancel out on grey, BatchNorm enlarges what is left some hundred
    times, and the rounding of the weights with it.
    """
    stem.weight.copy_(stem.weight.mean(dim=1, keepdim=True).expand_as(stem.weight))


def lite0_layers(state):
    """(kernel, gain, offset, mean, variance) of Lite0's convolutions, in the order in which they run."""
    kernels = [name for name in state if name.endswith(("conv.weight", "conv_stem.weight", "conv_head.weight"))]
    norms = [name.removesuffix(".running_var") for name in state if name.endswith(".running_var")]
    parts = ("weight", "bias", "running_mean", "running_var")
    return [(state[k], *(state[f"{n}.{part}"] for part in parts)) for k, n in zip(kernels, norms, strict=True)]


@torch.no_grad()
def carry_over(network, state):
    """Puts Lite0's weights into a B0's convolutions and BatchNorms; (r, c) of the last layer's channels."""
    layers = [module for module in network.modules() if isinstance(module, Layer) and module.norm is not None]
    slope, offset = torch.ones(3), torch.zeros(3)  # what Lite0 would see = slope · what this layer sees + offset
    gate = torch.sigmoid(torch.tensor(GATE_START))
    for layer, (kernel, gain, shift, mean, variance) in zip(layers, lite0_layers(state), strict=True):
        projects = layer.kernel_size == (1, 1) and layer.in_channels > layer.out_channels
        channelwise = layer.groups > 1
        layer.weight.copy_(kernel * slope.view((-1, 1, 1, 1) if channelwise else (1, -1, 1, 1)))
        if projects:
            layer.weight.div_(gate)
        sums = kernel.sum(dim=(2, 3))
        layer.norm.running_mean.copy_(mean - (sums[:, 0] * offset if channelwise else sums @ offset))
        layer.norm.running_var.copy_(variance)
        sharpness, slope, offset = (torch.ones_like(gain), torch.ones_like(gain), torch.zeros_like(gain))
        if not projects:
            sharpness, slope, offset = closest_swish(shift, gain.abs())
        layer.norm.weight.copy_(gain * sharpness)
        layer.norm.bias.copy_(shift * sharpness)
    return slope, offset


def closest_swish(mean, deviation):
    """(s, r, c) for each channel: the r·SiLU(s·x) + c nearest to ReLU6(x) for x ~ N(mean, deviation²)."""
    x = mean[:, None] + deviation[:, None] * NODES
    wanted = F.relu6(x)
    lowest = torch.full_like(mean, torch.inf)
    best = [torch.ones_like(mean), torch.ones_like(mean), torch.zeros_like(mean)]
    for sharpness in SHARPNESSES:
        y = F.silu(sharpness * x)
        slope, offset = regression(y, wanted)
        error = (slope[:, None] * y + offset[:, None] - wanted).square().mean(dim=1) + TINY * sharpness
        error[(sharpness * x).abs().amax(dim=1) > REACH] += 1e3
        better = error < lowest
        for kept, found in zip((lowest, *best), (error, sharpness, slope, offset), strict=True):
            kept[better] = found.expand_as(error)[better]
    return best


def regression(y, wanted):
    """(slope, offset) of the least-squares line from y to `wanted`, for each row."""
    mean, target = y.mean(dim=1), wanted.mean(dim=1)
    y, wanted = y - mean[:, None], wanted - target[:, None]
    slope = (y * wanted).sum(dim=1) / y.square().sum(dim=1).clamp_min(TINY)
    return slope, target - slope * mean
