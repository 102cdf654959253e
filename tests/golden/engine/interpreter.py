"""Interprets quantized ONNX graphs in numpy: the reference of `docs/engine.md`, "The arithmetic, step by step".

`generate.py` and `nets.py` import this module. It is written from the ONNX specification and from the tables of that
page, and it shares nothing with the engine. It runs operator by operator over whole tensors, in ONNX's order of axes,
with integers of 64 bits.

A tensor of the graph is one of three kinds. `Codes` are stored integers. `Reals` are numbers that are known. A
`Deferred` operator, such as a sum of products, has no numbers until the `QuantizeLinear` behind it requantizes it.

The methods of `Interpreter` that run an operator have the operator's name.
"""

import math

import numpy as np
import onnx
from onnx import numpy_helper

F = np.float32
RANGES = {np.dtype(np.uint8): (0, 255), np.dtype(np.int8): (-128, 127)}


def fma(a, b, c):
    """a * b + c in float32, rounded once (IEEE 754, 5.4.1).

    The product of two float32 is exact in float64. Its sum with the third is rounded to odd there (Boldo and
    Melquiond, 2008), after which rounding to float32 rounds the exact value.
    """
    product, c = np.asarray(a, np.float64) * np.asarray(b, np.float64), np.asarray(c, np.float64)
    total = product + c
    part = total - product
    error = (product - (total - part)) + (c - part)
    bits = total.copy().view(np.int64)
    inexact, even = error != 0, bits & 1 == 0
    away = (error > 0) == (total > 0)
    bits = np.where(inexact & even, np.where(away, bits + 1, bits - 1), bits)
    return bits.view(np.float64).astype(F)


def round_clamped(value, low, high):
    """round(clamp(x)) to the nearest, ties to even. The graphs here have no NaN."""
    return np.rint(np.minimum(np.maximum(value, F(low)), F(high))).astype(np.int64)


class Codes:
    """The stored integers of a quantized tensor, as `QuantizeLinear` makes them."""

    def __init__(self, q, kind):
        self.q, self.kind = np.asarray(q, np.int64), np.dtype(kind)


class QuantizeParameters:
    """The parameters of a `QuantizeLinear`. `min` and `max` are its range, or the bounds that `Clip` and `Relu` set."""

    def __init__(self, scale, zero, kind):
        self.scale, self.zero, self.kind = F(scale), int(zero), np.dtype(kind)
        self.min, self.max = RANGES[self.kind]

    def stored(self, real):
        """The codes of reals, as `QuantizeLinear` defines them."""
        with np.errstate(over="ignore"):
            quotient = np.asarray(real, F) / self.scale
        return round_clamped(quotient, self.min - self.zero, self.max - self.zero) + self.zero

    def bounded(self, low, high):
        """The parameters with bounds, given as reals."""
        bounded = QuantizeParameters(self.scale, self.zero, self.kind)
        bounded.min, bounded.max = int(self.stored(low)), int(self.stored(high))
        return bounded

    def rounded(self, value):
        """round(clamp(x)) + zero, of reals that are divided by the scale."""
        return round_clamped(value, self.min - self.zero, self.max - self.zero) + self.zero


class Reals:
    """Numbers that are known. Those that `DequantizeLinear` makes also have the tensor that they were dequantized from."""

    def __init__(self, x, source=None):
        self.x, self.source = np.asarray(x, F), source

    shape = property(lambda self: self.x.shape)

    def floats(self):
        return self.x

    def quantized(self, to):
        return to.stored(self.x)

    def rearranged(self, rearrange):
        source = self.source
        if source is not None:
            source = QuantizedTensor(rearrange(source.q), source.scale, source.zero)
        return Reals(rearrange(self.x), source)


class QuantizedTensor:
    """Stored integers with their scale and zero point: real = scale * (q - zero)."""

    def __init__(self, q, scale, zero):
        self.q, self.scale, self.zero = q, F(scale), int(zero)


class Deferred:
    """An operator whose result is not requantized yet, with the bounds that `Relu` and `Clip` set."""

    def __init__(self):
        self.low, self.high = F(-np.inf), F(np.inf)

    def clipped(self, low, high):
        # The operator is min(max(x, low), high), so that the upper bound holds if low > high.
        low = min(low, high)
        other = self.copy()
        other.low = min(max(self.low, low), high)
        other.high = max(min(self.high, high), low)
        return other

    def quantized(self, to):
        return self.rounded(to.bounded(self.low, self.high) if (self.low, self.high) != (-np.inf, np.inf) else to)


class SumsOfProducts(Deferred):
    """The exact sums of a convolution or matrix product, in units of scale_x * scale_w, which are one or one a channel."""

    def __init__(self, sums, scale_x, scale_w, axis):
        super().__init__()
        self.sums, self.scale_x, self.scale_w, self.axis = sums, F(scale_x), np.asarray(scale_w, F), axis
        self.shape = sums.shape

    def copy(self):
        return SumsOfProducts(self.sums, self.scale_x, self.scale_w, self.axis)

    def by_channel(self, values):
        if values.size == 1:
            return values.reshape(())
        return values.reshape([-1 if axis == self.axis else 1 for axis in range(self.sums.ndim)])

    def rounded(self, to):
        multiplier = (self.scale_x * self.scale_w) / to.scale
        return to.rounded(self.sums.astype(F) * self.by_channel(multiplier))

    def floats(self):
        assert (self.low, self.high) == (-np.inf, np.inf)
        return self.sums.astype(F) * self.by_channel(self.scale_x * self.scale_w)

    def with_bias(self, bias, bias_scale=None):
        """The sums with a bias. A bias in other units is rounded to the units of the sums first."""
        units = self.scale_x * self.scale_w
        bias = np.asarray(bias)
        if bias_scale is not None:
            has_same_units = np.broadcast_to(np.abs(np.asarray(bias_scale, F) - units) <= units * F(1e-5), units.shape).all()
            if not has_same_units:
                bias, bias_scale = bias.astype(F) * np.asarray(bias_scale, F), None
        if bias_scale is None:
            bias = np.rint(bias.reshape(-1).astype(np.float64) / units.astype(np.float64)).astype(np.int64)
        other = self.copy()
        # The sum wraps around at 32 bits.
        other.sums = (self.sums + self.by_channel(bias.reshape(-1)) + 2**31) % 2**32 - 2**31
        return other


class Sum(Deferred):
    """The sum of two quantized tensors."""

    def __init__(self, a, b):
        super().__init__()
        self.a, self.b = a, b
        self.shape = np.broadcast_shapes(a.q.shape, b.q.shape)

    def copy(self):
        return Sum(self.a, self.b)

    def rounded(self, to):
        a, b = self.a, self.b
        r_a, r_b = a.scale / to.scale, b.scale / to.scale
        addend = F(to.zero) - fma(r_a, F(a.zero), r_b * F(b.zero))
        total = fma(a.q.astype(F), r_a, fma(b.q.astype(F), r_b, addend))
        # The addend has the zero point in it.
        return round_clamped(total, to.min, to.max)


class Product(Deferred):
    """The product of two quantized tensors."""

    def __init__(self, a, b):
        super().__init__()
        self.a, self.b = a, b
        self.shape = np.broadcast_shapes(a.q.shape, b.q.shape)

    def copy(self):
        return Product(self.a, self.b)

    def rounded(self, to):
        a, b = self.a, self.b
        product = (a.q - a.zero) * (b.q - b.zero)
        # The zero point is added before rounding.
        return round_clamped(product.astype(F) * (a.scale * b.scale / to.scale) + F(to.zero), to.min, to.max)


class Mean(Deferred):
    """The means of windows: exact sums of bytes less their zero point, and the number of bytes in each window."""

    def __init__(self, sums, count, scale):
        super().__init__()
        self.sums, self.count, self.scale, self.shape = sums, np.asarray(count), F(scale), sums.shape

    def copy(self):
        return Mean(self.sums, self.count, self.scale)

    def rounded(self, to):
        return to.rounded(self.sums.astype(F) * (self.scale / (to.scale * self.count.astype(F))))

    def floats(self):
        assert (self.low, self.high) == (-np.inf, np.inf)
        return self.sums.astype(F) * (self.scale / self.count.astype(F))


class Concatenation(Deferred):
    """A concatenation of tensors, each of which is quantized by itself."""

    def __init__(self, parts, axis):
        super().__init__()
        self.parts, self.axis = parts, axis
        lengths = [part.shape for part in parts]
        self.shape = tuple(sum(s[i] for s in lengths) if i == axis % len(lengths[0]) else lengths[0][i]
                           for i in range(len(lengths[0])))

    def copy(self):
        return Concatenation(self.parts, self.axis)

    def rounded(self, to):
        return np.concatenate([part.quantized(to) for part in self.parts], self.axis)


def rounded_once(function):
    """A function that is computed in float64 and rounded once to float32."""
    return lambda x: np.vectorize(function, otypes=[np.float64])(x.astype(np.float64)).astype(F)


def logistic(x):
    return 1 / (1 + math.exp(-x)) if x > -700 else 0.0


def softplus(x):
    return math.log1p(math.exp(x)) if x < 700 else x


def elu(alpha):
    return lambda x: np.where(x < 0, rounded_once(lambda x: alpha * math.expm1(min(x, 0)))(x), x)


def hard_sigmoid(x, alpha, beta):
    return np.maximum(F(0), np.minimum(F(1), F(alpha) * x + F(beta)))


UNARY = {
    "Sigmoid": lambda a: rounded_once(logistic),
    "Tanh": lambda a: rounded_once(math.tanh),
    "Exp": lambda a: rounded_once(math.exp),
    "Erf": lambda a: rounded_once(math.erf),
    "Softplus": lambda a: rounded_once(softplus),
    "Elu": lambda a: elu(float(F(a.get("alpha", 1.0)))),
    "HardSigmoid": lambda a: lambda x: hard_sigmoid(x, a.get("alpha", 0.2), a.get("beta", 0.5)),
    "HardSwish": lambda a: lambda x: x * hard_sigmoid(x, F(1) / F(6), F(0.5)),
    "LeakyRelu": lambda a: lambda x: np.where(x < 0, F(a.get("alpha", 0.01)) * x, x),
    "Neg": lambda a: lambda x: -x,
    "Abs": lambda a: np.abs,
}


def windows(attributes, kernel, lengths):
    """(strides, dilations, front pads, output lengths) of the windows of `Conv`, `AveragePool` and `MaxPool`."""
    axes = len(lengths)
    strides = attributes.get("strides", [1] * axes)
    dilations = attributes.get("dilations", [1] * axes)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    pads = list(attributes.get("pads", [0] * 2 * axes))
    auto = attributes.get("auto_pad", b"NOTSET").decode()
    outputs = []
    for i in range(axes):
        if auto == "VALID":
            pads[i] = pads[axes + i] = 0
        elif auto != "NOTSET":
            length = -(-lengths[i] // strides[i])
            total = max((length - 1) * strides[i] + spans[i] - lengths[i], 0)
            small, large = total // 2, total - total // 2
            pads[i], pads[axes + i] = (small, large) if auto == "SAME_UPPER" else (large, small)
        steps = (lengths[i] + pads[i] + pads[axes + i] - spans[i]) / strides[i]
        count = (math.ceil(steps) if attributes.get("ceil_mode", 0) else math.floor(steps)) + 1
        if attributes.get("ceil_mode", 0) and (count - 1) * strides[i] >= lengths[i] + pads[i]:
            count -= 1
        outputs.append(count)
    return strides, dilations, pads[:axes], outputs


def taps(x, kernel, strides, dilations, pads, outputs):
    """(tap, elements of `x` under it for each output, whether these are inside of `x`) for each tap of the kernel."""
    spatial = x.shape[2:]
    for tap in np.ndindex(*kernel):
        indices, inside = [], np.ones((1, 1, *outputs), bool)
        for i in range(len(kernel)):
            at = np.arange(outputs[i]) * strides[i] - pads[i] + tap[i] * dilations[i]
            fits = (at >= 0) & (at < spatial[i])
            inside = inside & fits.reshape([-1 if axis == i + 2 else 1 for axis in range(len(kernel) + 2)])
            indices.append(np.clip(at, 0, spatial[i] - 1))
        yield tap, x[(slice(None), slice(None), *np.ix_(*indices))], inside


class Interpreter:
    """Runs a model on one input. `values` has the tensors that were computed, and `weights` the dequantized constants."""

    def __init__(self, model, value):
        graph = model.graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        self.values, self.weights = {}, {}
        inputs = [i for i in graph.input if i.name not in self.constants]
        self.values[inputs[0].name] = Reals(value) if value.dtype == F else Codes(value, value.dtype)
        for node in graph.node:
            self.node(node)

    def result(self, name):
        """A tensor as floats."""
        value = self.values[name]
        return value.floats()

    def node(self, node):
        """Runs one node."""
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant":
            self.constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
            return
        if node.op_type == "DequantizeLinear" and node.input[0] in self.constants:
            self.weights[node.output[0]] = self.dequantized_constant(node, attributes)
            return
        operator = getattr(self, node.op_type, None)
        if operator is None:
            function = UNARY[node.op_type](attributes)
            operator = lambda node, attributes: Reals(function(self.known(node.input[0])))
        self.values[node.output[0]] = operator(node, attributes)

    def dequantized_constant(self, node, attributes):
        """(integers less their zero point, scales, axis of the scales) of a constant that is dequantized."""
        q = self.constants[node.input[0]].astype(np.int64)
        scales = self.constants[node.input[1]].astype(F)
        axis = attributes.get("axis", 1) % max(q.ndim, 1)
        if len(node.input) > 2 and node.input[2]:
            zeros = self.constants[node.input[2]].astype(np.int64)
            q = q - (zeros.reshape([-1 if i == axis else 1 for i in range(q.ndim)]) if zeros.size > 1 else zeros.reshape(()))
        return q, scales.reshape(-1), axis

    def parameters(self, node):
        """Scale and zero point of a `QuantizeLinear` or `DequantizeLinear`."""
        scale = self.constants[node.input[1]].reshape(())
        zero = self.constants[node.input[2]] if len(node.input) > 2 and node.input[2] else np.zeros((), np.uint8)
        return QuantizeParameters(scale, zero.reshape(()), zero.dtype)

    def known(self, name):
        """The known numbers of a tensor, as a function of a byte reads them."""
        if name in self.constants:
            return self.constants[name].astype(F)
        if name in self.weights:
            q, scales, axis = self.weights[name]
            by_axis = scales if scales.size == 1 else scales.reshape([-1 if i == axis else 1 for i in range(q.ndim)])
            return (q.astype(F) * by_axis).reshape(q.shape)
        value = self.values[name]
        assert isinstance(value, Reals), f"{name} is deferred"
        return value.x

    def source(self, name):
        """The quantized tensor that a tensor was dequantized from, or None."""
        value = self.values[name]
        return value.source if isinstance(value, Reals) else None

    def is_constant(self, name):
        return name in self.constants or name in self.weights

    def QuantizeLinear(self, node, attributes):
        to = self.parameters(node)
        return Codes(self.values[node.input[0]].quantized(to), to.kind)

    def DequantizeLinear(self, node, attributes):
        of, codes = self.parameters(node), self.values[node.input[0]]
        assert codes.kind == of.kind
        real = (codes.q - of.zero).astype(F) * of.scale
        return Reals(real, QuantizedTensor(codes.q, of.scale, of.zero))

    def with_bias(self, sums, node, input):
        if len(node.input) <= input or not node.input[input]:
            return sums
        name = node.input[input]
        if name in self.weights:
            q, scales, _ = self.weights[name]
            return sums.with_bias(q, scales)
        return sums.with_bias(self.constants[name])

    def Conv(self, node, attributes):
        x = self.source(node.input[0])
        w, scales, axis = self.weights[node.input[1]]
        assert scales.size == 1 or axis == 0
        kernel, groups = w.shape[2:], attributes.get("group", 1)
        strides, dilations, pads, outputs = windows(attributes, kernel, x.q.shape[2:])
        sums = np.zeros((x.q.shape[0], w.shape[0], *outputs), np.int64)
        inputs, outputs_per_group = w.shape[1], w.shape[0] // groups
        for tap, under, inside in taps(x.q - x.zero, kernel, strides, dilations, pads, outputs):
            under = under * inside
            for group in range(groups):
                group_outputs = slice(group * outputs_per_group, (group + 1) * outputs_per_group)
                weights = w[(group_outputs, slice(None), *tap)]
                part = under[:, group * inputs:(group + 1) * inputs]
                sums[:, group_outputs] += np.einsum("oi,bi...->bo...", weights, part)
        return self.with_bias(SumsOfProducts(sums, x.scale, scales, 1), node, 2)

    def MatMul(self, node, attributes):
        x = self.source(node.input[0])
        w, scales, axis = self.weights[node.input[1]]
        assert scales.size == 1 or axis == w.ndim - 1
        return SumsOfProducts((x.q - x.zero) @ w, x.scale, scales, x.q.ndim - 1)

    def Gemm(self, node, attributes):
        x = self.source(node.input[0])
        w, scales, axis = self.weights[node.input[1]]
        if attributes.get("transB", 0):
            w, axis = w.T, 1 - axis
        assert scales.size == 1 or axis == 1
        return self.with_bias(SumsOfProducts((x.q - x.zero) @ w, x.scale, scales, 1), node, 2)

    def binary(self, node, deferred, function):
        """A deferred operator of two quantized tensors, or else a function of known numbers."""
        a, b = node.input
        if self.is_constant(a) or self.is_constant(b):
            return Reals(function(self.known(a), self.known(b)))
        if self.source(a) is not None and self.source(b) is not None:
            return deferred(self.source(a), self.source(b))
        return Reals(function(self.known(a), self.known(b)))

    def Add(self, node, attributes):
        for sums, bias in (node.input, node.input[::-1]):
            if isinstance(self.values.get(sums), SumsOfProducts) and self.is_constant(bias):
                if bias in self.weights:
                    q, scales, _ = self.weights[bias]
                    return self.values[sums].with_bias(q, scales)
                return self.values[sums].with_bias(self.constants[bias])
        return self.binary(node, Sum, lambda a, b: a + b)

    def Mul(self, node, attributes):
        return self.binary(node, Product, lambda a, b: a * b)

    def Sub(self, node, attributes):
        return Reals(self.known(node.input[0]) - self.known(node.input[1]))

    def Div(self, node, attributes):
        return Reals(self.known(node.input[0]) / self.known(node.input[1]))

    def Max(self, node, attributes):
        return Reals(np.maximum(self.known(node.input[0]), self.known(node.input[1])))

    def Min(self, node, attributes):
        return Reals(np.minimum(self.known(node.input[0]), self.known(node.input[1])))

    def Cast(self, node, attributes):
        assert attributes["to"] == onnx.TensorProto.FLOAT
        value = self.values[node.input[0]]
        return Reals(value.q.astype(F)) if isinstance(value, Codes) else value

    def bounded(self, value, low, high):
        if isinstance(value, Reals):
            return Reals(np.minimum(np.maximum(value.x, low), high))
        return value.clipped(low, high)

    def Relu(self, node, attributes):
        return self.bounded(self.values[node.input[0]], F(0), F(np.inf))

    def Clip(self, node, attributes):
        def bound(input, name, absent):
            if len(node.input) > input and node.input[input]:
                return self.known(node.input[input]).reshape(())[()]
            return F(attributes.get(name, absent))
        return self.bounded(self.values[node.input[0]], bound(1, "min", -np.inf), bound(2, "max", np.inf))

    def mean_in_windows(self, node, attributes, kernel):
        x = self.source(node.input[0])
        strides, dilations, pads, outputs = windows(attributes, kernel, x.q.shape[2:])
        sums, count = np.zeros((*x.q.shape[:2], *outputs), np.int64), np.zeros((1, 1, *outputs), np.int64)
        for _, under, inside in taps(x.q - x.zero, kernel, strides, dilations, pads, outputs):
            sums, count = sums + under * inside, count + inside
        if attributes.get("count_include_pad", 0):
            count = np.full_like(count, math.prod(kernel))
        return Mean(sums, count, x.scale)

    def AveragePool(self, node, attributes):
        return self.mean_in_windows(node, attributes, attributes["kernel_shape"])

    def GlobalAveragePool(self, node, attributes):
        return self.mean_in_windows(node, {}, self.values[node.input[0]].shape[2:])

    def ReduceMean(self, node, attributes):
        x = self.source(node.input[0])
        axes = self.constants[node.input[1]].tolist() if len(node.input) > 1 else list(attributes["axes"])
        axes = tuple(axis % x.q.ndim for axis in axes)
        kept = bool(attributes.get("keepdims", 1))
        count = math.prod(x.q.shape[axis] for axis in axes)
        return Mean((x.q - x.zero).sum(axes, keepdims=kept), np.full((), count), x.scale)

    def MaxPool(self, node, attributes):
        value = self.values[node.input[0]]
        of_codes = isinstance(value, Codes)
        q = value.q if of_codes else value.source.q
        kernel = attributes["kernel_shape"]
        strides, dilations, pads, outputs = windows(attributes, kernel, q.shape[2:])
        maximum = np.full((*q.shape[:2], *outputs), -1000, np.int64)
        for _, under, inside in taps(q, kernel, strides, dilations, pads, outputs):
            maximum = np.maximum(maximum, np.where(inside, under, -1000))
        if of_codes:
            return Codes(maximum, value.kind)
        source = QuantizedTensor(maximum, value.source.scale, value.source.zero)
        return Reals((maximum - source.zero).astype(F) * source.scale, source)

    def Concat(self, node, attributes):
        parts = [self.values[name] for name in node.input]
        if all(isinstance(part, Codes) for part in parts):
            return Codes(np.concatenate([part.q for part in parts], attributes["axis"]), parts[0].kind)
        return Concatenation(parts, attributes["axis"])

    def rearranged(self, node, rearrange):
        """The input with its elements in another shape or order."""
        value = self.values[node.input[0]]
        if isinstance(value, Codes):
            return Codes(rearrange(value.q), value.kind)
        if isinstance(value, Reals):
            return value.rearranged(rearrange)
        return Reals(rearrange(value.floats()))

    def Reshape(self, node, attributes):
        shape = self.constants[node.input[1]].tolist()
        return self.rearranged(node, lambda x: x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape)]))

    def Flatten(self, node, attributes):
        axis = attributes.get("axis", 1)
        return self.rearranged(node, lambda x: x.reshape(math.prod(x.shape[:axis]), -1))

    def Squeeze(self, node, attributes):
        axes = self.constants[node.input[1]] if len(node.input) > 1 else attributes["axes"]
        return self.rearranged(node, lambda x: x.squeeze(tuple(int(axis) for axis in axes)))

    def Unsqueeze(self, node, attributes):
        axes = self.constants[node.input[1]] if len(node.input) > 1 else attributes["axes"]
        return self.rearranged(node, lambda x: np.expand_dims(x, tuple(int(axis) for axis in axes)))

    def Transpose(self, node, attributes):
        return self.rearranged(node, lambda x: x.transpose(attributes["perm"]))

    def Identity(self, node, attributes):
        return self.values[node.input[0]]

    Dropout = Identity

    def Pad(self, node, attributes):
        pads = self.constants[node.input[1]].tolist()
        half = len(pads) // 2
        pairs = list(zip(pads[:half], pads[half:]))
        value = self.values[node.input[0]]
        fill = self.known(node.input[2]).reshape(())[()] if len(node.input) > 2 and node.input[2] else F(0)
        x = np.pad(value.x, pairs, constant_values=fill)
        source = value.source
        if source is not None:
            code = int(np.rint(fill / source.scale)) + source.zero
            source = QuantizedTensor(np.pad(source.q, pairs, constant_values=code), source.scale, source.zero)
        return Reals(x, source)


def run(model, value):
    """The outputs of a model for an input."""
    interpreter = Interpreter(model, value)
    return [interpreter.result(output.name) for output in model.graph.output]
