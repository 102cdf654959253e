"""EfficientNet-B0 as a torch module with places for fake quantization.

The recipe's scripts import this module. Stride-2 convolutions use TensorFlow's SAME padding for even sides, with which
the initial weights (`start.py`) were trained.

A `QuantizationPoint` stands wherever the int8 graph quantizes an activation. `rounding.py` gives it a quantizer. The
names of the attributes are keys of the checkpoints and of the file of ranges.
"""

import torch
import torch.nn.functional as F
from torch import nn

# (expansion, kernel, output channels, repeats, first stride): Tan and Le 2019, arXiv:1905.11946, table 1.
STAGES = [
    (1, 3, 16, 1, 1),
    (6, 3, 24, 2, 2),
    (6, 5, 40, 2, 2),
    (6, 3, 80, 3, 2),
    (6, 5, 112, 3, 1),
    (6, 5, 192, 4, 2),
    (6, 3, 320, 1, 1),
]
STEM, FEATURES = 32, 1280
NORM_EPSILON, NORM_MOMENTUM = 1e-3, 0.05
SQUEEZE = 4  # the input channels of a block for each channel of its squeeze
GATE_START = 3.0  # σ(3) = 0.95
CEILING = 8.0  # the maximum of SiLU's input


class QuantizationPoint(nn.Module):
    """A place where the int8 graph quantizes an activation. It is the identity while it has no quantizer."""

    def __init__(self):
        super().__init__()
        self.quantizer = None

    def forward(self, x):
        return x if self.quantizer is None else self.quantizer(x)


class Swish(nn.Module):
    """SiLU, x·σ(x), of x clamped to a ceiling.

    Lite0's weights were trained with the ceiling of ReLU6, and a bounded range gives int8 a finer scale. The int8 graph
    needs no operator for the ceiling, because its ranges end there. The int8 graph quantizes σ too, which training
    ignores.
    """

    def __init__(self):
        super().__init__()
        self.before, self.sigmoid, self.after = QuantizationPoint(), QuantizationPoint(), QuantizationPoint()
        self.ceiling = CEILING

    def forward(self, x):
        if self.ceiling is not None:
            x = x.clamp(max=self.ceiling)
        return self.after(F.silu(self.before(x)))


class Layer(nn.Conv2d):
    """A convolution and its BatchNorm. `fold` makes one convolution with a bias of both."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, norm=True):
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding=padding, groups=groups, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs, eps=NORM_EPSILON, momentum=NORM_MOMENTUM) if norm else None
        self.weight_quantizer = None

    def forward(self, x):
        if self.stride[0] == 2:
            padding = self.kernel_size[0] - 2
            x = F.pad(x, (padding // 2, padding - padding // 2, padding // 2, padding - padding // 2))
        weight = self.weight if self.weight_quantizer is None else self.weight_quantizer(self.weight)
        x = self._conv_forward(x, weight, self.bias)
        return x if self.norm is None else self.norm(x)

    @torch.no_grad()
    def fold(self):
        if self.norm is None:
            return
        gain = self.norm.weight / (self.norm.running_var + self.norm.eps).sqrt()
        self.weight.mul_(gain.view(-1, 1, 1, 1))
        self.bias = nn.Parameter(self.norm.bias - self.norm.running_mean * gain)
        self.norm = None


class SqueezeExcite(nn.Module):
    """Squeeze-and-excite: scales each channel by a gate that is computed from the means of all: Hu et al., arXiv:1709.01507."""

    def __init__(self, channels, squeezed):
        super().__init__()
        self.pool, self.mean = nn.AdaptiveAvgPool2d(1), QuantizationPoint()
        self.reduce, self.activation = Layer(channels, squeezed, 1, norm=False), Swish()
        self.expand, self.answer = Layer(squeezed, channels, 1, norm=False), QuantizationPoint()
        self.sigmoid, self.scaled = QuantizationPoint(), QuantizationPoint()
        nn.init.normal_(self.expand.weight, std=0.01)
        nn.init.constant_(self.expand.bias, GATE_START)

    def forward(self, x):
        gate = self.activation(self.reduce(self.mean(self.pool(x))))
        gate = self.sigmoid(torch.sigmoid(self.answer(self.expand(gate))))
        return self.scaled(x * gate)


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution, squeeze-and-excite and projection, with a residual connection if the shapes allow."""

    def __init__(self, inputs, outputs, expansion, kernel, stride):
        super().__init__()
        hidden = inputs * expansion
        layers = [Layer(inputs, hidden, 1), Swish()] if expansion > 1 else []
        layers += [Layer(hidden, hidden, kernel, stride, groups=hidden), Swish()]
        layers += [SqueezeExcite(hidden, inputs // SQUEEZE), Layer(hidden, outputs, 1), QuantizationPoint()]
        self.layers = nn.Sequential(*layers)
        self.sum = QuantizationPoint() if stride == 1 and inputs == outputs else None

    def forward(self, x):
        y = self.layers(x)
        return y if self.sum is None else self.sum(x + y)


class EfficientNetB0(nn.Module):
    """The input is N×3×H×W, values (x − 128) / 128, H and W multiples of 32. The output is N×classes logits."""

    def __init__(self, classes, dropout=0.2):
        super().__init__()
        blocks, channels = [nn.Sequential(Layer(3, STEM, 3, 2), Swish())], STEM
        for expansion, kernel, outputs, repeats, stride in STAGES:
            for repeat in range(repeats):
                blocks.append(InvertedResidual(channels, outputs, expansion, kernel, stride if repeat == 0 else 1))
                channels = outputs
        blocks.append(nn.Sequential(Layer(channels, FEATURES, 1), Swish()))
        self.input = QuantizationPoint()
        self.blocks = nn.Sequential(*blocks)
        self.pool, self.mean = nn.AdaptiveAvgPool2d(1), QuantizationPoint()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, x):
        x = self.mean(self.pool(self.blocks(self.input(x)))).flatten(1)
        return self.head(self.dropout(x))

    def freeze(self, count):
        """Excludes the first `count` blocks and their BatchNorm statistics from training. The stem counts as one."""
        self.blocks[:count].requires_grad_(False).eval()

    def without_ceilings(self):
        """Removes the ceilings of all SiLUs from this network."""
        for module in self.modules():
            if isinstance(module, Swish):
                module.ceiling = None
        return self

    def fold(self):
        """Folds all BatchNorms of this network into their convolutions."""
        for module in self.modules():
            if isinstance(module, Layer):
                module.fold()
        return self
