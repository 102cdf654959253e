"""Initializes EfficientNet-B0 with the ImageNet weights of EfficientNet-Lite0.

`train.py` imports this module. Lite0 has the convolutions of B0, but it has no squeeze-and-excite, and ReLU6 in the
place of SiLU.

- Squeeze-and-excite: each gate starts at the same constant for all pictures. The projection behind it is divided by the
  constant.
- Activation: ReLU6(x) is approximated by r·SiLU(s·x) + c for each channel, with the least squares over the normal
  distribution that BatchNorm gives x. The factor s goes into that BatchNorm, and r and c go into the convolution and the
  BatchNorm that follow. The factor s is bounded, so that s·x stays in a range that int8 represents well.
"""

import torch
import torch.nn.functional as F
from torch import nn

from network import GATE_START, EfficientNetB0, Layer

MAX_INPUT = 16.0  # the maximum magnitude of s·x
QUANTILES = torch.special.ndtri((torch.arange(400) + 0.5) / 400)  # of the normal distribution
# The values of s that are tried. With them r stays near 1, so that the weights of a layer have similar magnitudes.
INPUT_SCALES = torch.linspace(0.5, 1.33, 12)
EPSILON = 1e-9


def pretrained(lite0, classes):
    """The network with Lite0's features and a new head, whose small weights give nearly equal probabilities."""
    network = EfficientNetB0(classes)
    transfer_weights(network, torch.load(lite0, map_location="cpu", weights_only=True))
    nn.init.normal_(network.head.weight, std=0.01)
    nn.init.zeros_(network.head.bias)
    average_over_colours(network.blocks[0][0])
    return network


@torch.no_grad()
def average_over_colours(stem):
    """Replaces the weights of the three colours by their mean, which gives the same result for grey pictures.

    The weights of a filter that responds to colour cancel out on grey. BatchNorm would amplify the small remainder, and
    with it the quantization error of the weights. The three weights stay equal in training.
    """
    stem.weight.copy_(stem.weight.mean(dim=1, keepdim=True).expand_as(stem.weight))


def lite0_layers(state):
    """(kernel, gain, offset, mean, variance) of Lite0's convolutions and BatchNorms in order of execution."""
    kernels = [name for name in state if name.endswith(("conv.weight", "conv_stem.weight", "conv_head.weight"))]
    norms = [name.removesuffix(".running_var") for name in state if name.endswith(".running_var")]
    parts = ("weight", "bias", "running_mean", "running_var")
    return [(state[k], *(state[f"{n}.{part}"] for part in parts)) for k, n in zip(kernels, norms, strict=True)]


@torch.no_grad()
def transfer_weights(network, state):
    """Puts Lite0's weights into the convolutions and BatchNorms. Returns (r, c) of the channels of the last layer."""
    layers = [module for module in network.modules() if isinstance(module, Layer) and module.norm is not None]
    slope, offset = torch.ones(3), torch.zeros(3)  # the input of Lite0's layer is slope · the input of this one + offset
    gate = torch.sigmoid(torch.tensor(GATE_START))
    for layer, (kernel, gain, shift, mean, variance) in zip(layers, lite0_layers(state), strict=True):
        projects = layer.kernel_size == (1, 1) and layer.in_channels > layer.out_channels
        depthwise = layer.groups > 1
        layer.weight.copy_(kernel * slope.view((-1, 1, 1, 1) if depthwise else (1, -1, 1, 1)))
        if projects:
            layer.weight.div_(gate)
        sums = kernel.sum(dim=(2, 3))
        layer.norm.running_mean.copy_(mean - (sums[:, 0] * offset if depthwise else sums @ offset))
        layer.norm.running_var.copy_(variance)
        input_scale, slope, offset = (torch.ones_like(gain), torch.ones_like(gain), torch.zeros_like(gain))
        if not projects:
            input_scale, slope, offset = fit_silu(shift, gain.abs())
        layer.norm.weight.copy_(gain * input_scale)
        layer.norm.bias.copy_(shift * input_scale)
    return slope, offset


def fit_silu(mean, deviation):
    """(s, r, c) of each channel: the r·SiLU(s·x) + c closest to ReLU6(x) for x ~ N(mean, deviation²)."""
    x = mean[:, None] + deviation[:, None] * QUANTILES
    target = F.relu6(x)
    min_error = torch.full_like(mean, torch.inf)
    best = [torch.ones_like(mean), torch.ones_like(mean), torch.zeros_like(mean)]
    for input_scale in INPUT_SCALES:
        y = F.silu(input_scale * x)
        slope, offset = regression(y, target)
        error = (slope[:, None] * y + offset[:, None] - target).square().mean(dim=1) + EPSILON * input_scale
        error[(input_scale * x).abs().amax(dim=1) > MAX_INPUT] += 1e3
        better = error < min_error
        for kept, found in zip((min_error, *best), (error, input_scale, slope, offset), strict=True):
            kept[better] = found.expand_as(error)[better]
    return best


def regression(y, target):
    """(slope, offset) of the least-squares line from `y` to `target`, for each row."""
    y_mean, target_mean = y.mean(dim=1), target.mean(dim=1)
    y, target = y - y_mean[:, None], target - target_mean[:, None]
    slope = (y * target).sum(dim=1) / y.square().sum(dim=1).clamp_min(EPSILON)
    return slope, target_mean - slope * y_mean
