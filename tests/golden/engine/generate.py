"""Writes test vectors: random quantized graphs, an input for each, and the outputs that `interpreter.py` computes.

    pip install -r ../graphs/requirements.txt
    python generate.py vectors.bin --cases 240 --share      # the committed share
    python generate.py large.bin --cases 4000 --seed 1 --compare

A graph has one operator or is a short chain. A graph of one operator comes in QDQ form and, if ONNX Runtime has the
operator on codes, in QOperator form too. Both forms have the same outputs.

With `--compare`, the script compares the outputs of single operators with ONNX Runtime in its exact mode, and exits
with status 1 if they differ more than they may. So the interpreter is checked by an independent engine.

A file of vectors is a list of records. A record starts with the number of its outputs (32 bits, little-endian). Then
come name, model, input and each output, each as its length in bytes (32 bits, little-endian) and its bytes. Tensors are
float32 in the graph's order of axes.
"""

import argparse
import collections
import struct
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from interpreter import Codes, Concatenation, F, Interpreter, Product, Reals, Sum

U8, S8 = np.uint8, np.int8
LIMITS = {U8: (0, 255), S8: (-128, 127)}
# The operators that ONNX Runtime computes in floats or approximates, so that its results are near and not equal.
APPROXIMATE = {"Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Exp", "Erf", "Softplus", "Elu", "AveragePool", "ReduceMean", "silu",
               "s8-by-u8"}
# The operators that ONNX Runtime can compute in integers.
QUANTIZABLE = {"Add", "Mul", "Conv", "Gemm", "MatMul"}
# A float bias, which the engine rounds to the units of the sums and ONNX Runtime does not.
ROUNDED_BIAS = {"float-bias", "bias-behind"}


class Builder:
    """A graph that grows node by node. Each node is interpreted when it is added.

    `current` is the tensor that the next operator reads. `traits` says what of the graph ONNX Runtime computes another
    way. With `near_ties`, scales are powers of two and many results lie right between two codes.
    """

    def __init__(self, rng, shape, near_ties):
        self.rng, self.shape, self.near_ties = rng, shape, near_ties
        self.nodes, self.constants, self.traits = [], [], []
        self.kind = S8 if rng.random() < 0.35 else U8
        self.scale = self.scaled(10 ** rng.uniform(-3, 0))
        codes = rng.integers(-40, 300, shape) + rng.choice([0, 0, 0, 0.5, -0.5, 0.3], shape)
        zero = self.zero()
        self.value = ((codes - (int(zero) - LIMITS[self.kind][0])) * F(self.scale)).astype(F)
        self.interpreter = Interpreter(self.model_of([], [], "input"), self.value)
        self.entry = self.requantized("input", self.scale, zero)

    def choice(self, *values):
        return values[self.rng.integers(len(values))]

    def scaled(self, scale):
        """The scale, or the nearest power of two with `near_ties`."""
        return float(2.0 ** np.rint(np.log2(scale)) if self.near_ties else scale)

    def zero(self):
        """A random zero point of activations. Both ends and the middle of the range are likely."""
        low, high = LIMITS[self.kind]
        zero = self.choice(low, high, (low + high) // 2, int(self.rng.integers(low, high + 1)))
        return self.kind(zero)

    def model_of(self, nodes, constants, output):
        """A model of these nodes, in an operator set that has all operators used here."""
        value = helper.make_tensor_value_info("input", TensorProto.FLOAT, self.shape)
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(nodes, "g", [value], [result], constants)
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def constant(self, value):
        name = f"c{len(self.constants)}"
        tensor = numpy_helper.from_array(np.asarray(value), name)
        self.constants.append(tensor)
        self.interpreter.constants[name] = np.asarray(value)
        return name

    def node(self, kind, inputs, **attributes):
        """Adds a node, runs it, and gives the name of its output."""
        output = f"t{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [output], **attributes)
        self.interpreter.node(node)
        self.nodes.append(node)
        return output

    def shape_of(self, name):
        value = self.interpreter.values[name]
        return value.q.shape if isinstance(value, Codes) else value.shape

    def requantized(self, name, scale, zero):
        """Quantizes and dequantizes a tensor."""
        parameters = [self.constant(F(scale)), self.constant(zero)]
        if zero == 0 and self.kind is U8 and self.rng.random() < 0.3:
            parameters.pop()
        codes = self.node("QuantizeLinear", [name, *parameters])
        return self.node("DequantizeLinear", [codes, *parameters])

    def quantized(self, name):
        """Quantizes and dequantizes a tensor with a range that is about that of its values."""
        reals = approximate_reals(self.interpreter.values[name])
        low, high = min(float(reals.min()), 0), max(float(reals.max()), 0)
        scale = self.scaled(max(high - low, 1e-4) / 255 * self.rng.uniform(0.5, 1.3))
        floor, ceiling = LIMITS[self.kind]
        zero = int(np.clip(round(floor - low / scale) + self.rng.integers(-9, 10), floor, ceiling))
        return self.requantized(name, scale, self.kind(zero))

    def weights(self, shape, channels_axis):
        """(name of the dequantized weights, their scales, which are one or one a channel)."""
        rng, kind = self.rng, self.choice(S8, S8, S8, U8)
        if kind is U8 and self.kind is S8:
            self.traits.append("s8-by-u8")
        low, high = LIMITS[kind]
        # A fifth of the weights have extreme values only, so that a kernel that saturates gives wrong results.
        q = rng.choice([low, high], shape) if rng.random() < 0.2 else rng.integers(low, high + 1, shape)
        per_channel = rng.random() < 0.6
        channels = shape[channels_axis]
        count = channels if per_channel else 1
        scales = (10 ** rng.uniform(-4, -1.5, count)).astype(F)
        zeros = rng.integers(100, 156, count) if kind is U8 else np.zeros(count, np.int64)
        scales, zeros = (scales, zeros) if per_channel else (scales[0], zeros[0])
        inputs = [self.constant(q.astype(kind)), self.constant(scales)]
        if kind is U8 or rng.random() < 0.8:
            inputs.append(self.constant(np.asarray(zeros).astype(kind)))
        return self.node_of_constants(inputs, channels_axis if per_channel else None), np.atleast_1d(scales)

    def node_of_constants(self, inputs, axis):
        attributes = {} if axis is None else {"axis": axis}
        return self.node("DequantizeLinear", inputs, **attributes)

    def bias(self, source, scales, channels, sums):
        """The inputs of a random bias: none, one in the units of the sums, or one in floats."""
        rng = self.rng
        form = self.choice("none", "integers", "integers", "floats")
        units = F(self.interpreter.source(source).scale) * scales
        limit = max(int(np.abs(sums).max()) // 2, 1)
        q = rng.integers(-limit, limit + 1, channels).astype(np.int32)
        if form == "none":
            return []
        if form == "integers":
            return [self.node_of_constants([self.constant(q), self.constant(units if units.size > 1 else units[0])],
                                           0 if units.size > 1 else None)]
        self.traits.append("float-bias")
        return [self.constant((q * units * rng.uniform(0.9, 1.1, channels)).astype(F))]


def approximate_reals(value):
    """The approximate reals of a value, from which a scale is chosen."""
    if isinstance(value, Reals):
        return value.x
    if isinstance(value, (Sum, Product)):
        a, b = ((c.q - c.zero) * c.scale for c in (value.a, value.b))
        reals = a + b if isinstance(value, Sum) else a * b
    elif isinstance(value, Concatenation):
        return np.concatenate([approximate_reals(part).ravel() for part in value.parts])
    else:
        low, high, value.low, value.high = value.low, value.high, F(-np.inf), F(np.inf)
        reals, value.low, value.high = value.floats(), low, high
        return np.clip(reals, low, high)
    return np.clip(reals, value.low, value.high)


def window_attributes(b):
    """(kernel, attributes) of random windows over the current tensor, or None if they do not fit."""
    rng, attributes = b.rng, {}
    lengths = b.shape_of(b.current)[2:]
    kernel = [int(rng.integers(1, 6)) for _ in lengths] if rng.random() < 0.5 else [3] * len(lengths)
    dilations = [int(rng.integers(1, 3)) for _ in lengths] if rng.random() < 0.25 else [1] * len(lengths)
    strides = [int(rng.integers(1, 4)) for _ in lengths] if rng.random() < 0.6 else [1] * len(lengths)
    spans = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    auto = b.choice("NOTSET", "NOTSET", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")
    front = [int(rng.integers(0, min(s, 4))) for s in spans]
    back = [int(rng.integers(0, min(s, 4))) for s in spans]
    for i, length in enumerate(lengths):
        if length + (front[i] + back[i] if auto == "NOTSET" else 0) < spans[i]:
            return None
    if auto == "NOTSET":
        attributes["pads"] = front + back
    else:
        attributes["auto_pad"] = auto
        if auto != "VALID":
            dilations = [1] * len(lengths)
    if rng.random() < 0.8 or strides != [1] * len(lengths):
        attributes["strides"] = strides
    if dilations != [1] * len(lengths):
        attributes["dilations"] = dilations
    return kernel, attributes


def conv(b, groups=None):
    """A convolution with a random number of groups, or with this one. A tensor of two axes gets a Gemm."""
    rng, channels = b.rng, b.shape_of(b.current)[1]
    if len(b.shape_of(b.current)) < 3:
        return gemm(b)
    form = window_attributes(b)
    if form is None:
        return False
    kernel, attributes = form
    divisors = [n for n in range(1, channels + 1) if channels % n == 0]
    groups = groups or (1 if rng.random() < 0.6 else int(rng.choice(divisors)))
    outputs = groups * int(rng.integers(1, max(2, 20 // groups)))
    if groups == channels and rng.random() < 0.7:
        outputs = channels
    if groups > 1:
        attributes["group"] = groups
    weights, scales = b.weights((outputs, channels // groups, *kernel), 0)
    if rng.random() < 0.5:
        attributes["kernel_shape"] = kernel
    plain = b.interpreter.Conv(helper.make_node("Conv", [b.current, weights], ["x"]), attributes_of(attributes))
    b.current = b.node("Conv", [b.current, weights, *b.bias(b.current, scales, outputs, plain.sums)], **attributes)
    return between_sums_and_quantization(b, outputs)


def attributes_of(attributes):
    """Attributes as `Interpreter` takes them, with texts as bytes."""
    return {name: value.encode() if isinstance(value, str) else value for name, value in attributes.items()}


def between_sums_and_quantization(b, outputs):
    """Adds what may stand between sums of products and their quantization: Relu, Clip, another bias or nothing."""
    form = b.choice("", "", "", "Relu", "Clip", "bias")
    if form == "bias":
        value = b.interpreter.values[b.current]
        shape = [1] * len(value.shape)
        shape[value.axis] = outputs
        b.traits.append("bias-behind")
        bias = b.constant((approximate_reals(value).std() * b.rng.normal(0, 0.5, shape)).astype(F))
        b.current = b.node("Add", b.choice([b.current, bias], [bias, b.current]))
    elif form == "Relu":
        b.current = b.node("Relu", [b.current])
    elif form == "Clip":
        clip(b)
    return quantize_or_end(b, may_end=form not in ("Relu", "Clip"))


def clip(b):
    reals = approximate_reals(b.interpreter.values[b.current])
    low, high = F(b.choice(0, float(reals.min()) / 2)), F(float(np.abs(reals).max()) * b.rng.uniform(0.3, 0.9))
    b.traits.append("Clip")
    b.current = b.node("Clip", [b.current, b.constant(low), b.constant(high)])


def quantize_or_end(b, may_end=False):
    """Quantizes the current tensor, or leaves it in floats at the end of the graph."""
    if may_end and b.last and b.rng.random() < 0.15:
        return True
    b.current = b.quantized(b.current)
    return True


def depthwise(b):
    return conv(b, b.shape_of(b.current)[1])


def flatten(b):
    """Flattens the current tensor to two axes, and quantizes it again or not."""
    if len(b.shape_of(b.current)) != 2:
        source = b.interpreter.source(b.current)
        b.current = b.node("Flatten", [b.current])
        if source is not None and b.rng.random() < 0.5:
            b.current = b.requantized(b.current, source.scale, b.kind(source.zero))


def gemm(b):
    flatten(b)
    inputs, outputs = b.shape_of(b.current)[1], int(b.rng.integers(1, 20))
    transposed = b.rng.random() < 0.7
    weights, scales = b.weights((outputs, inputs) if transposed else (inputs, outputs), 0 if transposed else 1)
    attributes = {"transB": 1} if transposed else {}
    plain = b.interpreter.Gemm(helper.make_node("Gemm", [b.current, weights], ["x"]), attributes)
    b.current = b.node("Gemm", [b.current, weights, *b.bias(b.current, scales, outputs, plain.sums)], **attributes)
    return between_sums_and_quantization(b, outputs)


def matmul(b):
    flatten(b)
    inputs, outputs = b.shape_of(b.current)[1], int(b.rng.integers(1, 20))
    weights, _ = b.weights((inputs, outputs), 1)
    b.current = b.node("MatMul", [b.current, weights])
    return between_sums_and_quantization(b, outputs)


def second_tensor(b, channels=None):
    """Another quantized tensor of the same shape, or with this number of channels, made by a 1×1 convolution."""
    source = b.current
    channels = channels or b.shape_of(source)[1]
    weights, _ = b.weights((channels, b.shape_of(source)[1], *[1] * (len(b.shape_of(source)) - 2)), 0)
    return b.quantized(b.node("Conv", [source, weights]))


def add(b):
    if len(b.shape_of(b.current)) < 3:
        return gemm(b)
    left, right = b.current, b.current if b.rng.random() < 0.1 else second_tensor(b)
    b.current = b.node("Add", b.choice([left, right], [right, left]))
    if b.rng.random() < 0.25:
        b.current = b.node("Relu", [b.current])
        b.traits.append("Clip")
    return quantize_or_end(b)


def mul(b):
    if len(b.shape_of(b.current)) < 3:
        return gemm(b)
    left, right = b.current, b.current if b.rng.random() < 0.1 else second_tensor(b)
    b.current = b.node("Mul", b.choice([left, right], [right, left]))
    return quantize_or_end(b)


def excite(b):
    """Squeeze-and-excite: a tensor times one number a channel, which is made from the channel means."""
    if len(b.shape_of(b.current)) != 4:
        return gemm(b)
    source = b.current
    pooled = b.node("GlobalAveragePool", [source])
    pooled = b.quantized(pooled)
    if b.rng.random() < 0.7:
        b.traits.append("Sigmoid")
        pooled = b.quantized(b.node("Sigmoid", [pooled]))
    b.current = b.node("Mul", b.choice([source, pooled], [pooled, source]))
    return quantize_or_end(b)


def concat(b):
    if len(b.shape_of(b.current)) < 3:
        return gemm(b)
    parts = [b.current] + [second_tensor(b, int(b.rng.integers(1, 12))) for _ in range(int(b.rng.integers(1, 3)))]
    b.rng.shuffle(parts)
    b.current = b.node("Concat", parts, axis=b.choice(1, 1 - len(b.shape_of(b.current))))
    return quantize_or_end(b)


def pool(kind):
    def add_operator(b):
        if len(b.shape_of(b.current)) < 3:
            return gemm(b)
        form = window_attributes(b)
        if form is None:
            return False
        kernel, attributes = form
        attributes["kernel_shape"] = kernel
        # No window lies in the padding alone, because it would have no value.
        if "pads" in attributes:
            attributes["pads"] = [min(p, (k - 1) // 2) for p, k in zip(attributes["pads"], kernel * 2)]
        dilations = attributes.get("dilations", [1, 1])
        if kind == "AveragePool":
            attributes.pop("dilations", None)
            if b.rng.random() < 0.4:
                attributes["count_include_pad"] = 1
        elif any(d > 1 for d in dilations):
            attributes.pop("pads", None)
        if b.rng.random() < 0.2 and "auto_pad" not in attributes and "count_include_pad" not in attributes:
            attributes["ceil_mode"] = 1
        if kind == "MaxPool":
            if any(n + sum(attributes.get("pads", [0] * 4)[i::2][:2]) < (k - 1) * d + 1 for i, (n, k, d) in
                   enumerate(zip(b.shape_of(b.current)[2:], kernel, dilations))):
                return False
            b.current = b.node("MaxPool", [b.current], **attributes)
            if b.rng.random() < 0.5:
                source = b.interpreter.source(b.current)
                b.current = b.requantized(b.current, source.scale, b.kind(source.zero))
            return True
        if any(n + sum(attributes.get("pads", [0] * 4)[i::2][:2]) < k for i, (n, k) in
               enumerate(zip(b.shape_of(b.current)[2:], kernel))):
            return False
        b.current = b.node("AveragePool", [b.current], **attributes)
        return quantize_or_end(b, may_end=True)
    return add_operator


def global_pool(b):
    if len(b.shape_of(b.current)) < 3:
        return gemm(b)
    b.current = b.node("GlobalAveragePool", [b.current])
    return quantize_or_end(b, may_end=True)


def reduce_mean(b):
    rank = len(b.shape_of(b.current))
    if rank < 3:
        return gemm(b)
    axes = list(range(2, rank)) if b.rng.random() < 0.5 else list(range(2 - rank, 0))
    b.current = b.node("ReduceMean", [b.current], axes=axes, keepdims=int(b.rng.integers(2)))
    return quantize_or_end(b, may_end=True)


def pad(b):
    rank = len(b.shape_of(b.current))
    pads = np.zeros((2, rank), np.int64)
    for axis in range(2, rank):
        pads[:, axis] = b.rng.integers(0, 3, 2)
    inputs = [b.current, b.constant(pads.ravel())]
    if b.rng.random() < 0.5:
        source = b.interpreter.source(b.current)
        inputs.append(b.constant(F((int(b.rng.integers(0, 100)) - 50 * (b.kind is S8) - source.zero)) * source.scale))
    b.current = b.node("Pad", inputs)
    return True


def reshape_or_transpose(b):
    """A Reshape, Flatten, Transpose, or Squeeze with Unsqueeze, whose result is quantized again or not."""
    shape = b.shape_of(b.current)
    form = b.choice("reshape", "flatten", "transpose", "squeeze", "halves")
    source = b.interpreter.source(b.current)
    if form == "transpose":
        order = [0, *(1 + b.rng.permutation(len(shape) - 1))]
        b.current = b.node("Transpose", [b.current], perm=[int(i) for i in order])
    elif form == "reshape":
        b.current = b.node("Reshape", [b.current, b.constant(np.array([0, -1, 1, shape[-1]]))])
    elif form == "halves" and len(shape) == 4 and shape[1] % 2 == 0:
        b.current = b.node("Reshape", [b.current, b.constant(np.array([shape[0], shape[1] // 2, 2 * shape[2], -1]))])
    elif form == "squeeze" and len(shape) == 4:
        b.current = b.node("GlobalAveragePool", [b.current])
        b.current = b.quantized(b.current)
        source = b.interpreter.source(b.current)
        b.current = b.node("Squeeze", [b.current, b.constant(np.array([2, 3]))])
        b.current = b.node("Unsqueeze", [b.current, b.constant(np.array([-1, 2]))])
    else:
        b.current = b.node("Flatten", [b.current])
    if b.rng.random() < 0.4:
        b.current = b.requantized(b.current, source.scale, b.kind(source.zero))
    return True


def unary(kind, **attributes):
    def add_operator(b):
        b.traits.append(kind)
        b.current = b.node(kind, [b.current], **attributes)
        return quantize_or_end(b, may_end=True)
    return add_operator


def relu(b):
    b.current = b.node("Relu", [b.current])
    return quantize_or_end(b, may_end=True)


def clipped(b):
    clip(b)
    return quantize_or_end(b, may_end=True)


def silu(b):
    """x times its sigmoid, which is quantized or not."""
    b.traits.append("silu")
    gate = b.node(b.choice("Sigmoid", "HardSigmoid"), [b.current])
    if b.rng.random() < 0.5:
        gate = b.quantized(gate)
    b.current = b.node("Mul", b.choice([b.current, gate], [gate, b.current]))
    return quantize_or_end(b)


def hard_swish(b):
    """HardSwish as several operators: x * clip(x + 3, 0, 6) / 6, in floats between two quantizations."""
    b.traits.append("HardSwish")
    more = b.node("Add", [b.current, b.constant(F(3))])
    gate = b.node("Clip", [more, b.constant(F(0)), b.constant(F(6))])
    product = b.node("Mul", [b.current, gate])
    b.current = b.node("Div", [product, b.constant(F(6))])
    return quantize_or_end(b)


def exponential(b):
    """Exp of inputs up to 20, whose results an 8-bit scale can still represent."""
    if approximate_reals(b.interpreter.values[b.current]).max() > 20:
        return False
    return unary("Exp")(b)


def binary(b):
    """A binary operator of the current tensor and a number, or of two functions of the current tensor."""
    kind, reals = b.choice("Sub", "Div", "Max", "Min", "Add", "Mul"), approximate_reals(b.interpreter.values[b.current])
    if kind in ("Sub", "Max", "Min") and b.rng.random() < 0.4:
        b.current = b.node(kind, b.choice([b.current, b.node("Neg", [b.current])], [b.node("Abs", [b.current]), b.current]))
        return quantize_or_end(b, may_end=True)
    number = b.constant(F(b.rng.normal(0, 1) * max(float(np.abs(reals).max()), 1e-3) + 1e-6))
    b.current = b.node(kind, [b.current, number] if kind == "Div" else b.choice([b.current, number], [number, b.current]))
    return quantize_or_end(b, may_end=True)


def cast(b):
    """A Cast of the stored codes to floats."""
    source = next(node for node in b.nodes if b.current in node.output)
    if source.op_type != "DequantizeLinear":
        return gemm(b)
    b.current = b.node("Cast", [source.input[0]], to=TensorProto.FLOAT)
    return quantize_or_end(b, may_end=True)


def identity(b):
    """An Identity or Dropout before a convolution."""
    b.current = b.node(b.choice("Identity", "Dropout"), [b.current])
    return conv(b)


# {name in the records: function that adds the operator to a builder, or gives False if it does not fit}.
OPERATORS = {
    "Conv": conv, "depthwise": depthwise, "Gemm": gemm, "MatMul": matmul, "Add": add, "Mul": mul, "excite": excite,
    "Concat": concat, "AveragePool": pool("AveragePool"), "MaxPool": pool("MaxPool"), "GlobalAveragePool": global_pool,
    "ReduceMean": reduce_mean, "Pad": pad, "moves": reshape_or_transpose, "Clip": clipped, "Relu": relu,
    "Sigmoid": unary("Sigmoid"), "HardSigmoid": unary("HardSigmoid", alpha=1 / 6, beta=0.5),
    "HardSwish": unary("HardSwish"), "LeakyRelu": unary("LeakyRelu", alpha=0.1), "Tanh": unary("Tanh"), "silu": silu,
    "hard-swish": hard_swish, "nothing": identity, "Exp": exponential, "Erf": unary("Erf"), "Softplus": unary("Softplus"),
    "Elu": unary("Elu", alpha=0.7), "Neg": unary("Neg"), "Abs": unary("Abs"), "ofTwo": binary, "Cast": cast,
}
# The operators of most convolutional networks are chosen more often.
WEIGHTED = [*OPERATORS, *["Conv"] * 8, *["depthwise"] * 5, *["Add"] * 2, *["Gemm"] * 2]


def case(seed, number, small):
    """(name, builder, model, outputs) of a random graph. `small` graphs are those of the committed share."""
    rng = np.random.default_rng([seed, number])
    while True:
        max_channels = 18 if small else 60
        channels = int(rng.integers(1, max_channels)) if rng.random() < 0.7 else int(rng.choice([8, 16, 24, 32]))
        size = 8 if small else 14
        lengths = [int(n) for n in rng.integers(1, size, 1 if rng.random() < 0.08 else 2)]
        b = Builder(rng, [2 if rng.random() < 0.1 else 1, channels, *lengths], near_ties=number % 5 == 4)
        b.current = b.entry
        # Two of three cases have one operator. In the share they go through all operators in turn.
        count = 1 if number % 3 else int(rng.integers(2, 5))
        names = [list(OPERATORS)[(number // 3 * 2 + number % 3 - 1) % len(OPERATORS)]] if count == 1 and small else \
            [str(rng.choice(WEIGHTED)) for _ in range(count)]
        for step, name in enumerate(names):
            b.last = step == count - 1
            if not OPERATORS[name](b):
                break
        else:
            if not isinstance(b.interpreter.values[b.current], (Sum, Product, Concatenation)):
                model = b.model_of(b.nodes, b.constants, b.current)
                outputs = [b.interpreter.result(b.current)]
                dims = model.graph.output[0].type.tensor_type.shape.dim
                del dims[:]
                for length in outputs[0].shape:
                    dims.add().dim_value = length
                onnx.checker.check_model(model)
                return "-".join(names), b, model, outputs


# {operator: (operator on codes, number of quantized inputs before the bias, domain)}. `QLinearConcat` takes any number.
ON_CODES = {
    "Conv": ("QLinearConv", 2, ""), "MatMul": ("QLinearMatMul", 2, ""), "Gemm": ("QGemm", 2, "com.microsoft"),
    "Add": ("QLinearAdd", 2, "com.microsoft"), "Mul": ("QLinearMul", 2, "com.microsoft"),
    "Sigmoid": ("QLinearSigmoid", 1, "com.microsoft"), "LeakyRelu": ("QLinearLeakyRelu", 1, "com.microsoft"),
    "AveragePool": ("QLinearAveragePool", 1, "com.microsoft"),
    "GlobalAveragePool": ("QLinearGlobalAveragePool", 1, "com.microsoft"),
    "ReduceMean": ("QLinearReduceMean", 1, "com.microsoft"), "Concat": ("QLinearConcat", 0, "com.microsoft"),
}


def to_qoperators(model):
    """The graph in QOperator form, or None if it has no operator that exists on codes.

    Each operator between dequantized tensors and a QuantizeLinear is replaced.
    """
    nodes = model.graph.node
    makers = {name: node for node in nodes for name in node.output}
    zeros = {kind: numpy_helper.from_array(kind(0), f"zero {kind.__name__}") for kind in LIMITS}
    kinds = {t.name: numpy_helper.to_array(t).dtype.type for t in model.graph.initializer}

    def parameters(node, codes):
        """The inputs for scale and zero point. A zero point that is left out is that of the stored type."""
        kind = S8 if kinds.get(codes) is S8 else U8
        return [node.input[1], node.input[2] if len(node.input) > 2 else zeros[kind].name]

    def operator(node, quantizer):
        sources = [makers.get(name) for name in node.input]
        if any(source is None or source.op_type != "DequantizeLinear" for source in sources):
            return None
        kind, count, domain = ON_CODES[node.op_type]
        to = parameters(quantizer, None)
        triples = [[source.input[0], *parameters(source, source.input[0])] for source in sources]
        if kind == "QLinearConcat":
            inputs = [*to, *sum(triples, [])]
        else:
            bias = [triple[0] for triple in triples[count:]]
            inputs = sum(triples[:count], [])
            inputs += [*(bias or [""] * (kind == "QGemm")), *to] if kind == "QGemm" else [*to, *bias]
        qoperator = helper.make_node(kind, inputs, [quantizer.output[0]], domain=domain)
        qoperator.attribute.extend(node.attribute)
        return qoperator

    qoperators = {}
    for quantizer in nodes:
        node = makers.get(quantizer.input[0]) if quantizer.op_type == "QuantizeLinear" else None
        if node is not None and node.op_type in ON_CODES:
            qoperators[quantizer.output[0]] = operator(node, quantizer)
    if not any(qoperators.values()):
        return None
    kept = [qoperators.get(node.output[0]) or node for node in nodes]
    while True:
        read = {name for node in kept for name in node.input} | {info.name for info in model.graph.output}
        fewer = [node for node in kept if node.output[0] in read]
        if len(fewer) == len(kept):
            break
        kept = fewer
    graph = helper.make_graph(kept, "g", model.graph.input, model.graph.output,
                              [t for t in [*model.graph.initializer, *zeros.values()] if t.name in read])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def run_onnxruntime(model, value, optimized=True):
    """The outputs of ONNX Runtime in its exact mode. Without optimizations it computes in floats, operator by operator."""
    import onnxruntime as ort
    options = ort.SessionOptions()
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": value})


def keeps_float_operators(model):
    """Whether ONNX Runtime computes in floats an operator that it can compute in integers, but not in this form."""
    import onnxruntime as ort
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.optimized_model_filepath = f"{folder}/optimized.onnx"
        options.log_severity_level = 4
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return any(node.op_type in QUANTIZABLE for node in onnx.load(options.optimized_model_filepath).graph.node)


class Comparison:
    """Compares the interpreter with ONNX Runtime, and counts cases and differences by operator."""

    def __init__(self):
        self.counts = collections.defaultdict(lambda: [0, 0, 0])
        self.failed, self.refused = [], collections.defaultdict(list)

    def compare(self, name, number, b, model, outputs, form=""):
        """Compares the first output of a graph.

        The difference is counted in steps of the last quantization. For a graph that ends in floats, it is counted in
        1e-5 of the maximum output, because float sums depend on their order.
        """
        ends_quantized = model.graph.node[-1].op_type == "DequantizeLinear" or b.interpreter.source(b.current) is not None
        try:
            reference = run_onnxruntime(model, b.value, optimized=ends_quantized)[0]
        except Exception as error:  # ONNX Runtime does not support the graph.
            self.refused[str(error).split(":")[-1].strip()[:90]].append(f"{name}{form} {number}")
            return
        rounded_bias = {*b.traits} & ROUNDED_BIAS
        near = {name, *b.traits} & (APPROXIMATE | ROUNDED_BIAS) or not ends_quantized
        unit = self.last_scale(b, model) if ends_quantized else float(np.abs(outputs[0]).max()) * 1e-5
        difference = np.abs(reference - outputs[0])
        near = near or bool(difference.any()) and keeps_float_operators(model)
        step = difference.max() / max(unit, 1e-30)
        row = self.counts[f"{name}{form}{' (float bias)' if rounded_bias else ' (near)' if near else ''}"]
        row[0] += 1
        row[1] += bool(difference.any())
        row[2] = max(row[2], step)
        # A sigmoid that differs by one code can move a product by two, as a product's scale can be half of what its range needs.
        allowed = 0 if not near else 2.01 if name == "excite" and "Sigmoid" in b.traits else 1.01
        if step > allowed and not rounded_bias:
            self.failed.append(f"{name}{form} {number} {b.traits}: {step:.3f} steps, {(difference > 0).mean():.4f} of it")

    def last_scale(self, b, model):
        """The scale of the last quantization."""
        quantizing = [n for n in model.graph.node if n.op_type == "DequantizeLinear" and n.input[0].startswith("t")]
        return float(b.interpreter.constants[quantizing[-1].input[1]])

    def report(self):
        for name, (cases, unequal, step) in sorted(self.counts.items()):
            print(f"{name:44} {cases:5} cases, {unequal:4} unequal to ONNX Runtime, by at most {step:.3g} steps")
        for reason, names in self.refused.items():
            print(f"not run by ONNX Runtime: {len(names)}, as {names[:3]}: {reason}")
        for line in self.failed[:40]:
            print("FAILED", line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("to", help="where the vectors go")
    parser.add_argument("--cases", type=int, default=150, help="number of graphs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", action="store_true", help="small graphs, as in the committed share")
    parser.add_argument("--compare", action="store_true", help="compare single operators with ONNX Runtime")
    options = parser.parse_args()
    comparison, field = Comparison(), lambda part: struct.pack("<I", len(part)) + part
    with open(options.to, "wb") as file:
        for number in range(options.cases):
            name, b, model, outputs = case(options.seed, number, options.share)
            forms = {"": model}  # by what they add to the name
            if "-" not in name and (qoperators := to_qoperators(model)):
                forms[" in operators"] = qoperators
            for form, model in forms.items():
                parts = [f"{number} {name}{form}".encode(), model.SerializeToString(), b.value.tobytes()]
                parts += [output.tobytes() for output in outputs]
                file.write(struct.pack("<I", len(outputs)) + b"".join(map(field, parts)))
                if options.compare and "-" not in name:
                    comparison.compare(name, number, b, model, outputs, form)
    comparison.report()
    sys.exit(bool(comparison.failed))


if __name__ == "__main__":
    main()
