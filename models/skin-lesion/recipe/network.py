"""MobileNetV2 1.0 as a torch module, initialized from the ImageNet graph.

The recipe's scripts import this module. The BatchNorms of the graph are folded into its convolutions, so the module has
none. Every layer is a convolution with a bias, and fine-tuning behaves as with frozen BatchNorm. Stride-2 convolutions
use TensorFlow's SAME padding, with which the weights were trained: on an even side, one row at the bottom and one
column at the right.

The names of the attributes are keys of the checkpoints and of the trained weights.
"""

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper
from torch import nn

# (expansion, output channels, repeats, first stride): Sandler et al. 2018, arXiv:1801.04381, table 2.
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
STEM, FEATURES = 32, 1280


class SameConv(nn.Conv2d):
    """A convolution that has TensorFlow's SAME padding for even sides if its stride is 2."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1):
        super().__init__(inputs, outputs, kernel, stride, padding=(kernel // 2 if stride == 1 else 0), groups=groups)

    def forward(self, x):
        if self.stride[0] == 2:
            x = F.pad(x, (0, 1, 0, 1))
        return super().forward(x)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection, with a residual connection if the shapes are equal."""

    def __init__(self, inputs, outputs, expansion, stride):
        super().__init__()
        hidden = inputs * expansion
        layers = [SameConv(inputs, hidden, 1), nn.ReLU6(inplace=True)] if expansion > 1 else []
        layers += [SameConv(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*layers, SameConv(hidden, outputs, 1))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """The input is N×3×H×W, values (x − 128) / 128, H and W multiples of 32. The output is N×classes logits."""

    def __init__(self, classes, dropout=0.2):
        super().__init__()
        blocks, channels = [nn.Sequential(SameConv(3, STEM, 3, 2), nn.ReLU6(inplace=True))], STEM
        for expansion, outputs, repeats, stride in STAGES:
            for repeat in range(repeats):
                blocks.append(InvertedResidual(channels, outputs, expansion, stride if repeat == 0 else 1))
                channels = outputs
        blocks.append(nn.Sequential(SameConv(channels, FEATURES, 1), nn.ReLU6(inplace=True)))
        self.blocks = nn.Sequential(*blocks)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, x):
        x = self.pool(self.blocks(x)).flatten(1)
        return self.head(self.dropout(x))

    def freeze(self, count):
        """Excludes the first `count` blocks from training. The stem counts as one."""
        self.blocks[:count].requires_grad_(False)


def convolutions_of(graph_path):
    """The (weight, bias) pairs of a graph's convolutions in their order of execution."""
    graph = onnx.load(graph_path).graph
    constants = {tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor))) for tensor in graph.initializer}
    return [(constants[node.input[1]], constants[node.input[2]]) for node in graph.node if node.op_type == "Conv"]


def imagenet(graph_path):
    """The network with all 1001 ImageNet classes. It gives the logits of the graph, which ends in a softmax."""
    network = MobileNetV2(1001)
    *body, (head_weight, head_bias) = convolutions_of(graph_path)
    layers = [module for module in network.blocks.modules() if isinstance(module, SameConv)]
    with torch.no_grad():
        for layer, (weight, bias) in zip(layers, body, strict=True):
            layer.weight.copy_(weight)
            layer.bias.copy_(bias)
        network.head.weight.copy_(head_weight.flatten(1))
        network.head.bias.copy_(head_bias)
    return network


def pretrained(graph_path, classes):
    """The network with ImageNet's features and a new head, whose small weights give nearly equal probabilities."""
    network = imagenet(graph_path)
    network.head = nn.Linear(FEATURES, classes)
    nn.init.normal_(network.head.weight, std=0.01)
    nn.init.zeros_(network.head.bias)
    return network
