"""Makes random quantized graphs, one operator each and short chains, with what `interpreter.py` gives for them. Graphs of one
operator come in QDQ form and, where there is such an operator, in QOperator form, which means the same.

    pip install -r ../graphs/requirements.txt
    python generate.py vectors.bin --cases 240 --share      # the committed share
    python generate.py large.bin --cases 4000 --seed 1 --compare

With `--compare`, graphs of single operators are held against ONNX Runtime in its exact mode too: the interpreter is
checked by an engine that others wrote, and the engine by the interpreter.

A file of vectors is a list of records: name, model, input and each output, every one of them its length in bytes (32
bits, little-endian) and its bytes; floats are float32 in the graph's order. Each record starts with the number of its
outputs.
"""

import argparse
import collections
import struct
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from interpreter import Codes, F, Interpreter, Joined, Product, Reals, Sum, Sums, Waiting

U8, S8 = np.uint8, np.int8
LIMITS = {U8: (0, 255), S8: (-128, 127)}
# What ONNX Runtime computes in floats between exact roundings, or by an approximation of its own: near, not equal.
NEAR = {"Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Exp", "Erf", "Softplus", "Elu", "AveragePool", "ReduceMean", "silu",
        "s8-by-u8"}
# What it has operators in integers for.
QUANTIZABLE = {"Add", "Mul", "Conv", "Gemm", "MatMul"}
# What the contract rounds and ONNX Runtime does not: a float bias, to units of the sums.
OURS = {"float-bias", "bias-behind"}


class Builder:
    """A graph that grows node by node, and is interpreted as it does."""

    def __init__(self, rng, shape, between):
        self.rng, self.shape, self.between = rng, shape, between
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
        """A power of two where many results are to lie right between two codes."""
        return float(2.0 ** np.rint(np.log2(scale)) if self.between else scale)

    def zero(self):
        low, high = LIMITS[self.kind]
        place = self.choice(low, high, (low + high) // 2, int(self.rng.integers(low, high + 1)))
        return self.kind(place)

    def model_of(self, nodes, constants, output):
        """The operator set in which all operators here are."""
        value = helper.make_tensor_value_info("input", TensorProto.FLOAT, self.shape)
        wanted = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(nodes, "g", [value], [wanted], constants)
        opsets = [helper.make_opsetid("", 17)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=9)

    def constant(self, value):
        name = f"c{len(self.constants)}"
        tensor = numpy_helper.from_array(np.asarray(value), name)
        self.constants.append(tensor)
        self.interpreter.constants[name] = np.asarray(value)
        return name

    def node(self, kind, inputs, **attributes):
        output = f"t{len(self.nodes)}"
        node = helper.make_node(kind, inputs, [output], **attributes)
        self.interpreter.node(node)
        self.nodes.append(node)
        return output

    def shape_of(self, name):
        value = self.interpreter.values[name]
        return value.q.shape if isinstance(value, Codes) else value.shape

    def requantized(self, name, scale, zero):
        parameters = [self.constant(F(scale)), self.constant(zero)]
        if zero == 0 and self.kind is U8 and self.rng.random() < 0.3:
            parameters.pop()
        codes = self.node("QuantizeLinear", [name, *parameters])
        return self.node("DequantizeLinear", [codes, *parameters])

    def quantized(self, name):
        """With a range that what is there fills, more or less."""
        reals = estimate(self.interpreter.values[name])
        low, high = min(float(reals.min()), 0), max(float(reals.max()), 0)
        scale = self.scaled(max(high - low, 1e-4) / 255 * self.rng.uniform(0.5, 1.3))
        floor, ceiling = LIMITS[self.kind]
        zero = int(np.clip(round(floor - low / scale) + self.rng.integers(-9, 10), floor, ceiling))
        return self.requantized(name, scale, self.kind(zero))

    def weights(self, shape, channels_axis):
        """Dequantized weights; their scales, one a channel or one for all."""
        rng, kind = self.rng, self.choice(S8, S8, S8, U8)
        if kind is U8 and self.kind is S8:
            self.traits.append("s8-by-u8")
        low, high = LIMITS[kind]
        # Extreme ones in one case of five: what saturates would show.
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
        """None, in units of the sums, or floats."""
        rng = self.rng
        form = self.choice("none", "integers", "integers", "floats")
        units = F(self.interpreter.carried(source).scale) * scales
        reach = max(int(np.abs(sums).max()) // 2, 1)
        q = rng.integers(-reach, reach + 1, channels).astype(np.int32)
        if form == "none":
            return []
        if form == "integers":
            return [self.node_of_constants([self.constant(q), self.constant(units if units.size > 1 else units[0])],
                                           0 if units.size > 1 else None)]
        self.traits.append("float-bias")
        return [self.constant((q * units * rng.uniform(0.9, 1.1, channels)).astype(F))]


def estimate(value):
    """What a value stands for, near enough to choose a scale."""
    if isinstance(value, Reals):
        return value.x
    if isinstance(value, (Sum, Product)):
        a, b = ((c.q - c.zero) * c.scale for c in (value.a, value.b))
        reals = a + b if isinstance(value, Sum) else a * b
    elif isinstance(value, Joined):
        return np.concatenate([estimate(part).ravel() for part in value.parts])
    else:
        low, high, value.low, value.high = value.low, value.high, F(-np.inf), F(np.inf)
        reals, value.low, value.high = value.floats(), low, high
        return np.clip(reals, low, high)
    return np.clip(reals, value.low, value.high)


def spatial(b, channels, smallest):
    """Attributes of windows over a picture."""
    rng, attributes = b.rng, {}
    lengths = b.shape_of(b.at)[2:]
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
    rng, channels = b.rng, b.shape_of(b.at)[1]
    if len(b.shape_of(b.at)) < 3:
        return gemm(b)
    form = spatial(b, channels, 1)
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
    plain = b.interpreter.Conv(helper.make_node("Conv", [b.at, weights], ["x"]), attributes_of(attributes))
    b.at = b.node("Conv", [b.at, weights, *b.bias(b.at, scales, outputs, plain.sums)], **attributes)
    return waiting_sums(b, outputs)


def attributes_of(attributes):
    return {name: value.encode() if isinstance(value, str) else value for name, value in attributes.items()}


def waiting_sums(b, outputs):
    """What may stand between sums and what rounds them."""
    form = b.choice("", "", "", "Relu", "Clip", "bias")
    if form == "bias":
        value = b.interpreter.values[b.at]
        shape = [1] * len(value.shape)
        shape[value.axis] = outputs
        b.traits.append("bias-behind")
        bias = b.constant((estimate(value).std() * b.rng.normal(0, 0.5, shape)).astype(F))
        b.at = b.node("Add", b.choice([b.at, bias], [bias, b.at]))
    elif form == "Relu":
        b.at = b.node("Relu", [b.at])
    elif form == "Clip":
        clip(b)
    return finish(b, may_stay=form not in ("Relu", "Clip"))


def clip(b):
    reals = estimate(b.interpreter.values[b.at])
    low, high = F(b.choice(0, float(reals.min()) / 2)), F(float(np.abs(reals).max()) * b.rng.uniform(0.3, 0.9))
    b.traits.append("Clip")
    b.at = b.node("Clip", [b.at, b.constant(low), b.constant(high)])


def finish(b, may_stay=False):
    """Rounds what waits, or leaves it for the end of the graph."""
    if may_stay and b.last and b.rng.random() < 0.15:
        return True
    b.at = b.quantized(b.at)
    return True


def depthwise(b):
    return conv(b, b.shape_of(b.at)[1])


def flat(b):
    """To two axes, as reals or as codes."""
    if len(b.shape_of(b.at)) != 2:
        carried = b.interpreter.carried(b.at)
        b.at = b.node("Flatten", [b.at])
        if carried is not None and b.rng.random() < 0.5:
            b.at = b.requantized(b.at, carried.scale, b.kind(carried.zero))


def gemm(b):
    flat(b)
    inputs, outputs = b.shape_of(b.at)[1], int(b.rng.integers(1, 20))
    transposed = b.rng.random() < 0.7
    weights, scales = b.weights((outputs, inputs) if transposed else (inputs, outputs), 0 if transposed else 1)
    attributes = {"transB": 1} if transposed else {}
    plain = b.interpreter.Gemm(helper.make_node("Gemm", [b.at, weights], ["x"]), attributes)
    b.at = b.node("Gemm", [b.at, weights, *b.bias(b.at, scales, outputs, plain.sums)], **attributes)
    return waiting_sums(b, outputs)


def matmul(b):
    flat(b)
    inputs, outputs = b.shape_of(b.at)[1], int(b.rng.integers(1, 20))
    weights, _ = b.weights((inputs, outputs), 1)
    b.at = b.node("MatMul", [b.at, weights])
    return waiting_sums(b, outputs)


def other(b, channels=None):
    """Another quantized tensor of the same shape, made from the entry."""
    source = b.at
    channels = channels or b.shape_of(source)[1]
    weights, _ = b.weights((channels, b.shape_of(source)[1], *[1] * (len(b.shape_of(source)) - 2)), 0)
    return b.quantized(b.node("Conv", [source, weights]))


def add(b):
    if len(b.shape_of(b.at)) < 3:
        return gemm(b)
    left, right = b.at, b.at if b.rng.random() < 0.1 else other(b)
    b.at = b.node("Add", b.choice([left, right], [right, left]))
    if b.rng.random() < 0.25:
        b.at = b.node("Relu", [b.at])
        b.traits.append("Clip")
    return finish(b)


def mul(b):
    if len(b.shape_of(b.at)) < 3:
        return gemm(b)
    left, right = b.at, b.at if b.rng.random() < 0.1 else other(b)
    b.at = b.node("Mul", b.choice([left, right], [right, left]))
    return finish(b)


def excite(b):
    """Squeeze-and-excite: a tensor times one number a channel."""
    if len(b.shape_of(b.at)) != 4:
        return gemm(b)
    source = b.at
    pooled = b.node("GlobalAveragePool", [source])
    pooled = b.quantized(pooled)
    if b.rng.random() < 0.7:
        b.traits.append("Sigmoid")
        pooled = b.quantized(b.node("Sigmoid", [pooled]))
    b.at = b.node("Mul", b.choice([source, pooled], [pooled, source]))
    return finish(b)


def concat(b):
    if len(b.shape_of(b.at)) < 3:
        return gemm(b)
    parts = [b.at] + [other(b, int(b.rng.integers(1, 12))) for _ in range(int(b.rng.integers(1, 3)))]
    b.rng.shuffle(parts)
    b.at = b.node("Concat", parts, axis=b.choice(1, 1 - len(b.shape_of(b.at))))
    return finish(b)


def pool(kind):
    def made(b):
        if len(b.shape_of(b.at)) < 3:
            return gemm(b)
        form = spatial(b, 0, 1)
        if form is None:
            return False
        kernel, attributes = form
        attributes["kernel_shape"] = kernel
        # A window that lies in the padding alone has no value.
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
                   enumerate(zip(b.shape_of(b.at)[2:], kernel, dilations))):
                return False
            b.at = b.node("MaxPool", [b.at], **attributes)
            if b.rng.random() < 0.5:
                carried = b.interpreter.carried(b.at)
                b.at = b.requantized(b.at, carried.scale, b.kind(carried.zero))
            return True
        if any(n + sum(attributes.get("pads", [0] * 4)[i::2][:2]) < k for i, (n, k) in
               enumerate(zip(b.shape_of(b.at)[2:], kernel))):
            return False
        b.at = b.node("AveragePool", [b.at], **attributes)
        return finish(b, may_stay=True)
    return made


def global_pool(b):
    if len(b.shape_of(b.at)) < 3:
        return gemm(b)
    b.at = b.node("GlobalAveragePool", [b.at])
    return finish(b, may_stay=True)


def reduce_mean(b):
    rank = len(b.shape_of(b.at))
    if rank < 3:
        return gemm(b)
    axes = list(range(2, rank)) if b.rng.random() < 0.5 else list(range(2 - rank, 0))
    b.at = b.node("ReduceMean", [b.at], axes=axes, keepdims=int(b.rng.integers(2)))
    return finish(b, may_stay=True)


def pad(b):
    rank = len(b.shape_of(b.at))
    pads = np.zeros((2, rank), np.int64)
    for axis in range(2, rank):
        pads[:, axis] = b.rng.integers(0, 3, 2)
    inputs = [b.at, b.constant(pads.ravel())]
    if b.rng.random() < 0.5:
        carried = b.interpreter.carried(b.at)
        inputs.append(b.constant(F((int(b.rng.integers(0, 100)) - 50 * (b.kind is S8) - carried.zero)) * carried.scale))
    b.at = b.node("Pad", inputs)
    return True


def moves(b):
    """Reshape, Flatten, Transpose, Squeeze and Unsqueeze, of codes or of reals, and back to four axes."""
    shape = b.shape_of(b.at)
    form = b.choice("reshape", "flatten", "transpose", "squeeze", "halves")
    carried = b.interpreter.carried(b.at)
    if form == "transpose":
        order = [0, *(1 + b.rng.permutation(len(shape) - 1))]
        b.at = b.node("Transpose", [b.at], perm=[int(i) for i in order])
    elif form == "reshape":
        b.at = b.node("Reshape", [b.at, b.constant(np.array([0, -1, 1, shape[-1]]))])
    elif form == "halves" and len(shape) == 4 and shape[1] % 2 == 0:
        b.at = b.node("Reshape", [b.at, b.constant(np.array([shape[0], shape[1] // 2, 2 * shape[2], -1]))])
    elif form == "squeeze" and len(shape) == 4:
        b.at = b.node("GlobalAveragePool", [b.at])
        b.at = b.quantized(b.at)
        carried = b.interpreter.carried(b.at)
        b.at = b.node("Squeeze", [b.at, b.constant(np.array([2, 3]))])
        b.at = b.node("Unsqueeze", [b.at, b.constant(np.array([-1, 2]))])
    else:
        b.at = b.node("Flatten", [b.at])
    if b.rng.random() < 0.4:
        b.at = b.requantized(b.at, carried.scale, b.kind(carried.zero))
    return True


def unary(kind, **attributes):
    def made(b):
        b.traits.append(kind)
        b.at = b.node(kind, [b.at], **attributes)
        return finish(b, may_stay=True)
    return made


def relu(b):
    b.at = b.node("Relu", [b.at])
    return finish(b, may_stay=True)


def clipped(b):
    clip(b)
    return finish(b, may_stay=True)


def silu(b):
    """x times its sigmoid, which a quantizer rounds or doesn't."""
    b.traits.append("silu")
    gate = b.node(b.choice("Sigmoid", "HardSigmoid"), [b.at])
    if b.rng.random() < 0.5:
        gate = b.quantized(gate)
    b.at = b.node("Mul", b.choice([b.at, gate], [gate, b.at]))
    return finish(b)


def hard_swish(b):
    """HardSwish taken apart: x * clip(x + 3, 0, 6) / 6, in floats between two roundings."""
    b.traits.append("HardSwish")
    more = b.node("Add", [b.at, b.constant(F(3))])
    gate = b.node("Clip", [more, b.constant(F(0)), b.constant(F(6))])
    product = b.node("Mul", [b.at, gate])
    b.at = b.node("Div", [product, b.constant(F(6))])
    return finish(b)


def exponential(b):
    """Within what float32 holds, and a scale can still tell apart."""
    if estimate(b.interpreter.values[b.at]).max() > 20:
        return False
    return unary("Exp")(b)


def of_two(b):
    """A tensor and a number, or two functions of one tensor."""
    kind, reals = b.choice("Sub", "Div", "Max", "Min", "Add", "Mul"), estimate(b.interpreter.values[b.at])
    if kind in ("Sub", "Max", "Min") and b.rng.random() < 0.4:
        b.at = b.node(kind, b.choice([b.at, b.node("Neg", [b.at])], [b.node("Abs", [b.at]), b.at]))
        return finish(b, may_stay=True)
    number = b.constant(F(b.rng.normal(0, 1) * max(float(np.abs(reals).max()), 1e-3) + 1e-6))
    b.at = b.node(kind, [b.at, number] if kind == "Div" else b.choice([b.at, number], [number, b.at]))
    return finish(b, may_stay=True)


def cast(b):
    """The stored bytes as numbers."""
    made = next(node for node in b.nodes if b.at in node.output)
    if made.op_type != "DequantizeLinear":
        return gemm(b)
    b.at = b.node("Cast", [made.input[0]], to=TensorProto.FLOAT)
    return finish(b, may_stay=True)


def nothing(b):
    b.at = b.node(b.choice("Identity", "Dropout"), [b.at])
    return conv(b)


OPERATORS = {
    "Conv": conv, "depthwise": depthwise, "Gemm": gemm, "MatMul": matmul, "Add": add, "Mul": mul, "excite": excite,
    "Concat": concat, "AveragePool": pool("AveragePool"), "MaxPool": pool("MaxPool"), "GlobalAveragePool": global_pool,
    "ReduceMean": reduce_mean, "Pad": pad, "moves": moves, "Clip": clipped, "Relu": relu,
    "Sigmoid": unary("Sigmoid"), "HardSigmoid": unary("HardSigmoid", alpha=1 / 6, beta=0.5),
    "HardSwish": unary("HardSwish"), "LeakyRelu": unary("LeakyRelu", alpha=0.1), "Tanh": unary("Tanh"), "silu": silu,
    "hard-swish": hard_swish, "nothing": nothing, "Exp": exponential, "Erf": unary("Erf"), "Softplus": unary("Softplus"),
    "Elu": unary("Elu", alpha=0.7), "Neg": unary("Neg"), "Abs": unary("Abs"), "ofTwo": of_two, "Cast": cast,
}
# Those that a convolutional net is mostly made of come up more often.
WEIGHTED = [*OPERATORS, *["Conv"] * 8, *["depthwise"] * 5, *["Add"] * 2, *["Gemm"] * 2]


def case(seed, number, small):
    """One graph: its name, builder, model, and outputs."""
    rng = np.random.default_rng([seed, number])
    while True:
        most = 18 if small else 60
        channels = int(rng.integers(1, most)) if rng.random() < 0.7 else int(rng.choice([8, 16, 24, 32]))
        size = 8 if small else 14
        lengths = [int(n) for n in rng.integers(1, size, 1 if rng.random() < 0.08 else 2)]
        b = Builder(rng, [2 if rng.random() < 0.1 else 1, channels, *lengths], between=number % 5 == 4)
        b.at = b.entry
        # The first cases are one operator each.
        count = 1 if number % 3 else int(rng.integers(2, 5))
        names = [list(OPERATORS)[(number // 3 * 2 + number % 3 - 1) % len(OPERATORS)]] if count == 1 and small else \
            [str(rng.choice(WEIGHTED)) for _ in range(count)]
        for step, name in enumerate(names):
            b.last = step == count - 1
            if not OPERATORS[name](b):
                break
        else:
            if not isinstance(b.interpreter.values[b.at], (Sum, Product, Joined)):
                model = b.model_of(b.nodes, b.constants, b.at)
                outputs = [b.interpreter.result(b.at)]
                dims = model.graph.output[0].type.tensor_type.shape.dim
                del dims[:]
                for length in outputs[0].shape:
                    dims.add().dim_value = length
                onnx.checker.check_model(model)
                return "-".join(names), b, model, outputs


# The operators on codes, how many quantized inputs they have before a bias, and their domain; `QLinearConcat` takes any number.
ON_CODES = {
    "Conv": ("QLinearConv", 2, ""), "MatMul": ("QLinearMatMul", 2, ""), "Gemm": ("QGemm", 2, "com.microsoft"),
    "Add": ("QLinearAdd", 2, "com.microsoft"), "Mul": ("QLinearMul", 2, "com.microsoft"),
    "Sigmoid": ("QLinearSigmoid", 1, "com.microsoft"), "LeakyRelu": ("QLinearLeakyRelu", 1, "com.microsoft"),
    "AveragePool": ("QLinearAveragePool", 1, "com.microsoft"),
    "GlobalAveragePool": ("QLinearGlobalAveragePool", 1, "com.microsoft"),
    "ReduceMean": ("QLinearReduceMean", 1, "com.microsoft"), "Concat": ("QLinearConcat", 0, "com.microsoft"),
}


def in_operators(model):
    """The same graph with an operator on codes for each that stands between dequantized tensors and a QuantizeLinear; None
    where there is none."""
    nodes = model.graph.node
    makers = {name: node for node in nodes for name in node.output}
    zeros = {kind: numpy_helper.from_array(kind(0), f"zero {kind.__name__}") for kind in LIMITS}
    kinds = {t.name: numpy_helper.to_array(t).dtype.type for t in model.graph.initializer}

    def parameters(node, codes):
        """Scale and zero point; that of weights may be left out for signed ones."""
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
        made = helper.make_node(kind, inputs, [quantizer.output[0]], domain=domain)
        made.attribute.extend(node.attribute)
        return made

    made = {}
    for quantizer in nodes:
        node = makers.get(quantizer.input[0]) if quantizer.op_type == "QuantizeLinear" else None
        if node is not None and node.op_type in ON_CODES:
            made[quantizer.output[0]] = operator(node, quantizer)
    if not any(made.values()):
        return None
    kept = [made.get(node.output[0]) or node for node in nodes]
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


def of_reference(model, value, as_it_stands=False):
    """What ONNX Runtime gives in its exact mode; `as_it_stands`: operator by operator, in floats."""
    import onnxruntime as ort
    options = ort.SessionOptions()
    if as_it_stands:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": value})


def left_in_floats(model):
    """Whether ONNX Runtime computes on reals what it has an operator in integers for: it knows only some ways of writing it."""
    import onnxruntime as ort
    with tempfile.TemporaryDirectory() as folder:
        options = ort.SessionOptions()
        options.optimized_model_filepath = f"{folder}/optimized.onnx"
        options.log_severity_level = 4
        ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        return any(node.op_type in QUANTIZABLE for node in onnx.load(options.optimized_model_filepath).graph.node)


class Comparison:
    """Interpreter and ONNX Runtime, operator by operator."""

    def __init__(self):
        self.counts = collections.defaultdict(lambda: [0, 0, 0])
        self.failed, self.refused = [], collections.defaultdict(list)

    def take(self, name, number, b, model, outputs, form=""):
        """What ends in floats is near by the order of float sums; what is near by steps of the last quantization."""
        rounds = model.graph.node[-1].op_type == "DequantizeLinear" or b.interpreter.carried(b.at) is not None
        try:
            theirs = of_reference(model, b.value, as_it_stands=not rounds)[0]
        except Exception as error:  # ONNX Runtime takes no such graph.
            self.refused[str(error).split(":")[-1].strip()[:90]].append(f"{name}{form} {number}")
            return
        ours = {*b.traits} & OURS
        near = {name, *b.traits} & (NEAR | OURS) or not rounds
        unit = self.unit(b, model) if rounds else float(np.abs(outputs[0]).max()) * 1e-5
        difference = np.abs(theirs - outputs[0])
        near = near or bool(difference.any()) and left_in_floats(model)
        step = difference.max() / max(unit, 1e-30)
        row = self.counts[f"{name}{form}{' (float bias)' if ours else ' (near)' if near else ''}"]
        row[0] += 1
        row[1] += bool(difference.any())
        row[2] = max(row[2], step)
        # A sigmoid that is one code off moves a product by two where the product's scale is half of what its range takes.
        allowed = 0 if not near else 2.01 if name == "excite" and "Sigmoid" in b.traits else 1.01
        if step > allowed and not ours:
            self.failed.append(f"{name}{form} {number} {b.traits}: {step:.3f} steps, {(difference > 0).mean():.4f} of it")

    def unit(self, b, model):
        """The step of the last quantization."""
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
    parser.add_argument("to")
    parser.add_argument("--cases", type=int, default=150)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", action="store_true", help="small pictures: the committed share")
    parser.add_argument("--compare", action="store_true", help="hold single operators against ONNX Runtime")
    options = parser.parse_args()
    comparison, field = Comparison(), lambda part: struct.pack("<I", len(part)) + part
    with open(options.to, "wb") as file:
        for number in range(options.cases):
            name, b, model, outputs = case(options.seed, number, options.share)
            forms = {"": model}
            if "-" not in name and (on_codes := in_operators(model)):
                forms[" in operators"] = on_codes
            for form, model in forms.items():
                parts = [f"{number} {name}{form}".encode(), model.SerializeToString(), b.value.tobytes()]
                parts += [output.tobytes() for output in outputs]
                file.write(struct.pack("<I", len(outputs)) + b"".join(map(field, parts)))
                if options.compare and "-" not in name:
                    comparison.take(name, number, b, model, outputs, form)
    comparison.report()
    sys.exit(bool(comparison.failed))


if __name__ == "__main__":
    main()
