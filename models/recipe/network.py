"""MobileNetV2 and EfficientNet-Lite as one torch module, initialized from ImageNet weights.

The recipes import this module. All are chains of inverted residuals with ReLU6 (Sandler et al. 2018, arXiv:1801.04381; Tan
and Le 2019, arXiv:1905.11946, without squeeze-and-excite), and convolutions of stride 2 have TensorFlow's SAME padding, with
which the weights were trained.

MobileNetV2's weights come with their BatchNorms folded into the convolutions, Lite's with BatchNorms, whose statistics stay
those of ImageNet. `fold` makes one convolution with a bias of both.

The names of the attributes are keys of the checkpoints and of the trained weights.
"""

import math

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

STEM, FEATURES = 32, 1280
NORM_EPSILON = 1e-3

# (expansion, kernel, output channels, repeats, first stride) of each stage.
MOBILENET_V2 = [
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 3, 32, 3, 2),
    (6, 3, 64, 4, 2),
    (6, 3, 96, 3, 1),
    (6, 3, 160, 3, 2),
    (6, 3, 320, 1, 1),
]
LITE0 = [
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
]


def scaled(width, depth):
    """Lite0's stages with more channels and repeats. The first and the last stage keep their repeats."""
    last = len(LITE0) - 1
    return [
        (expansion, kernel, channels(outputs * width), repeats if at in (0, last) else math.ceil(repeats * depth), stride)
        for at, (expansion, kernel, outputs, repeats, stride) in enumerate(LITE0)
    ]


def channels(wanted):
    """The nearest multiple of 8 that is not below nine tenths of what is wanted."""
    nearest = max(8, int(wanted + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * wanted else nearest


# For each network its stages, whether it has BatchNorms, and the side of its input.
NETWORKS = {
    "mobilenet_v2": (MOBILENET_V2, False, 224),
    "lite0": (LITE0, True, 224),
    "lite1": (scaled(1.0, 1.1), True, 240),
    "lite2": (scaled(1.1, 1.2), True, 260),
}


class Convolution(nn.Conv2d):
    """A convolution, with its BatchNorm where there is one."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, norm=False):
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding=padding, groups=groups, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs, eps=NORM_EPSILON) if norm else None

    def forward(self, x):
        if self.stride[0] == 2:
            x = F.pad(x, [*self._same(x.shape[3]), *self._same(x.shape[2])])
        x = super().forward(x)
        return x if self.norm is None else self.norm(x)

    def _same(self, side):
        """TensorFlow's padding at both ends of a side, for stride 2."""
        padding = max((math.ceil(side / 2) - 1) * 2 + self.kernel_size[0] - side, 0)
        return padding // 2, padding - padding // 2

    @torch.no_grad()
    def fold(self):
        if self.norm is not None:
            gain = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
            self.weight.mul_(gain.view(-1, 1, 1, 1))
            self.bias = nn.Parameter(self.norm.bias - self.norm.running_mean * gain)
            self.norm = None


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection, with a residual connection if the shapes are equal."""

    def __init__(self, inputs, outputs, expansion, kernel, stride, norm):
        super().__init__()
        hidden = inputs * expansion
        layers = [Convolution(inputs, hidden, 1, norm=norm), nn.ReLU6(inplace=True)] if expansion > 1 else []
        layers += [Convolution(hidden, hidden, kernel, stride, hidden, norm), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*layers, Convolution(hidden, outputs, 1, norm=norm))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.residual else y


class Network(nn.Module):
    """The input is N×3×H×W, values (x − 128) / 128. The output is N×classes logits."""

    def __init__(self, name, classes, dropout=0.2):
        super().__init__()
        stages, norm, self.side = NETWORKS[name]
        blocks, inputs = [nn.Sequential(Convolution(3, STEM, 3, 2, norm=norm), nn.ReLU6(inplace=True))], STEM
        for expansion, kernel, outputs, repeats, stride in stages:
            for repeat in range(repeats):
                blocks.append(InvertedResidual(inputs, outputs, expansion, kernel, stride if repeat == 0 else 1, norm))
                inputs = outputs
        blocks.append(nn.Sequential(Convolution(inputs, FEATURES, 1, norm=norm), nn.ReLU6(inplace=True)))
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, x):
        x = self.pool(self.blocks(x)).flatten(1)
        return self.head(self.dropout(x))

    def convolutions(self):
        """All convolutions in their order of execution."""
        return [module for module in self.blocks.modules() if isinstance(module, Convolution)]

    def learn(self, frozen):
        """Turns training on. The first blocks, `frozen` of them, keep their weights, and all BatchNorms their statistics."""
        self.train()
        self.blocks[:frozen].requires_grad_(False)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()

    def fold(self):
        """Folds all BatchNorms into their convolutions."""
        for convolution in self.convolutions():
            convolution.fold()
        return self


def pretrained(name, weights, classes, dropout=0.2):
    """The network with ImageNet's features and a new head, whose small weights give nearly equal probabilities."""
    network = Network(name, classes, dropout)
    (take_onnx if name == "mobilenet_v2" else take_lite)(network.convolutions(), weights)
    nn.init.normal_(network.head.weight, std=0.01)
    nn.init.zeros_(network.head.bias)
    return network


@torch.no_grad()
def take_onnx(convolutions, path):
    """Takes the weights of an ONNX graph of folded convolutions. The last one of the graph is its head."""
    graph = onnx.load(path).graph
    constants = {tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor))) for tensor in graph.initializer}
    nodes = [node for node in graph.node if node.op_type == "Conv"][:-1]
    for convolution, node in zip(convolutions, nodes, strict=True):
        convolution.weight.copy_(constants[node.input[1]])
        convolution.bias.copy_(constants[node.input[2]])


@torch.no_grad()
def take_lite(convolutions, path):
    """Takes the weights of a state of `efficientnet_lite_pytorch`, whose entries are in their order of execution."""
    state = torch.load(path)
    kernels = [name for name in state if name.endswith(("conv.weight", "conv_stem.weight", "conv_head.weight"))]
    norms = [name.removesuffix(".running_var") for name in state if name.endswith(".running_var")]
    for convolution, kernel, norm in zip(convolutions, kernels, norms, strict=True):
        convolution.weight.copy_(state[kernel])
        for part in ("weight", "bias", "running_mean", "running_var"):
            getattr(convolution.norm, part).copy_(state[f"{norm}.{part}"])
