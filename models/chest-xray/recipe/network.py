"""EfficientNet-B0 as a torch module.

Stride-2 convolutions pad as TensorFlow's "SAME" does on an even side, because the weights that it starts
from (`start.py`) were learned that way.

Wherever the int8 graph rounds an activation stands a `Point`. It does nothing until `rounding.py` wakes it.
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
SQUEEZE = 4  # channels into a block for each channel of its squeeze
GATE_START = 3.0  # σ(3) = 0.95
CEILING = 8.0  # of what SiLU is given


class Point(nn.Module):
    """A place where the int8 graph rounds an activation; exact while it has no rounding."""

    def __init__(self):
        super().__init__()
        self.rounding = None

    def forward(self, x):
        return x if self.rounding is None else self.rounding(x)


class Swish(nn.Module):
    """x·σ(x), for x up to a ceiling, as Lite0's ReLU6 has one: its weights count on it, and int8 gets finer steps.

    The int8 graph needs no operator for the ceiling, as its ranges end there. It rounds σ too, between 0 and 1; that
    costs little, and training does not imitate it.
    """

    def __init__(self):
        super().__init__()
        self.before, self.sigmoid, self.after = Point(), Point(), Point()
        self.ceiling = CEILING

    def forward(self, x):
        if self.ceiling is not None:
            x = x.clamp(max=self.ceiling)
        return self.after(F.silu(self.before(x)))


class Layer(nn.Conv2d):
    """Convolution and BatchNorm; `fold` draws both into one convolution with a bias."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, norm=True):
        padding = kernel // 2 if stride == 1 else 0
        super().__init__(inputs, outputs, kernel, stride, padding=padding, groups=groups, bias=not norm)
        self.norm = nn.BatchNorm2d(outputs, eps=NORM_EPSILON, momentum=NORM_MOMENTUM) if norm else None
        self.weight_rounding = None

    def forward(self, x):
        if self.stride[0] == 2:
            spare = self.kernel_size[0] - 2
            x = F.pad(x, (spare // 2, spare - spare // 2, spare // 2, spare - spare // 2))
        weight = self.weight if self.weight_rounding is None else self.weight_rounding(self.weight)
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
    """Scales each channel by a gate between 0 and 1, found from the means of all: Hu et al., arXiv:1709.01507."""

    def __init__(self, channels, squeezed):
        super().__init__()
        self.pool, self.mean = nn.AdaptiveAvgPool2d(1), Point()
        self.reduce, self.activation = Layer(channels, squeezed, 1, norm=False), Swish()
        self.expand, self.answer = Layer(squeezed, channels, 1, norm=False), Point()
        self.sigmoid, self.scaled = Point(), Point()
        nn.init.normal_(self.expand.weight, std=0.01)
        nn.init.constant_(self.expand.bias, GATE_START)

    def forward(self, x):
        gate = self.activation(self.reduce(self.mean(self.pool(x))))
        gate = self.sigmoid(torch.sigmoid(self.answer(self.expand(gate))))
        return self.scaled(x * gate)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, gate, project; added to its input where the shapes allow."""

    def __init__(self, inputs, outputs, expansion, kernel, stride):
        super().__init__()
        hidden = inputs * expansion
        layers = [Layer(inputs, hidden, 1), Swish()] if expansion > 1 else []
        layers += [Layer(hidden, hidden, kernel, stride, groups=hidden), Swish()]
        layers += [SqueezeExcite(hidden, inputs // SQUEEZE), Layer(hidden, outputs, 1), Point()]
        self.layers = nn.Sequential(*layers)
        self.sum = Point() if stride == 1 and inputs == outputs else None

    def forward(self, x):
        y = self.layers(x)
        return y if self.sum is None else self.sum(x + y)


class EfficientNetB0(nn.Module):
    """Input N×3×H×W with values (x − 128) / 128, H and W multiples of 32; output N×classes logits."""

    def __init__(self, classes, dropout=0.2):
        super().__init__()
        blocks, channels = [nn.Sequential(Layer(3, STEM, 3, 2), Swish())], STEM
        for expansion, kernel, outputs, repeats, stride in STAGES:
            for repeat in range(repeats):
                blocks.append(InvertedResidual(channels, outputs, expansion, kernel, stride if repeat == 0 else 1))
                channels = outputs
        blocks.append(nn.Sequential(Layer(channels, FEATURES, 1), Swish()))
        self.input = Point()
        self.blocks = nn.Sequential(*blocks)
        self.pool, self.mean = nn.AdaptiveAvgPool2d(1), Point()
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(FEATURES, classes)

    def forward(self, x):
        x = self.mean(self.pool(self.blocks(self.input(x)))).flatten(1)
        return self.head(self.dropout(x))

    def freeze(self, count):
        """Keeps the first `count` blocks (the stem is one) as they are, their BatchNorms' statistics too."""
        self.blocks[:count].requires_grad_(False).eval()

    def without_ceilings(self):
        for module in self.modules():
            if isinstance(module, Swish):
                module.ceiling = None
        return self

    def fold(self):
        """Draws all BatchNorms into their convolutions; for good."""
        for module in self.modules():
            if isinstance(module, Layer):
                module.fold()
        return self
