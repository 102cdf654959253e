"""Makes the small graphs of this folder in the forms that exporters write, and their expected probabilities.

    pip install -r requirements.txt && python make.py

It reads nothing, and writes the graphs, `picture.png` and `cases.json` into this folder. A tiny network with the
operators of MobileNet and EfficientNet is exported by both of PyTorch's exporters at several operator sets. It is
quantized by ONNX Runtime, and rebuilt in the forms of other exporters (NHWC, bytes as input, softmax inside, several
outputs).

`cases.json` lists each file with the fields of its manifest and the expected probabilities, or with the words that the
refusal must have. The logits come from ONNX Runtime in its exact mode. The activation is computed in float64 by numpy.

The exporters write the names of classes and attributes into the graphs.
"""

import json
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import TensorProto, helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_dynamic, quantize_static
from PIL import Image
from torch import nn

HERE = pathlib.Path(__file__).parent
SIZE = 32
MEAN = [0.485, 0.456, 0.406]
STD = [0.229, 0.224, 0.225]
LABELS = ["a", "b", "c"]


class Squeeze(nn.Module):
    """Squeeze-and-excite, as in EfficientNet."""

    def __init__(self, channels):
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.down = nn.Conv2d(channels, 4, 1)
        self.up = nn.Conv2d(4, channels, 1)

    def forward(self, x):
        return x * torch.sigmoid(self.up(nn.functional.silu(self.down(self.pool(x)))))


class Tiny(nn.Module):
    """Stem, inverted residual with squeeze-and-excite, pooled features, head."""

    def __init__(self, channels=3):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6())
        self.block = nn.Sequential(
            nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16), nn.SiLU(),
            nn.Conv2d(16, 16, 3, 1, 1, groups=16, bias=False), nn.BatchNorm2d(16), nn.Hardswish(),
            Squeeze(16), nn.Conv2d(16, 8, 1, bias=False), nn.BatchNorm2d(8))
        self.head = nn.Linear(8, len(LABELS))

    def forward(self, x):
        return self.head(self.features(x))

    def features(self, x):
        x = self.stem(x)
        return (x + self.block(x)).mean((2, 3))


class WithFeatures(nn.Module):
    """A network with two outputs, of which the first is the features and the second the logits."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        features = self.net.features(x)
        return features, self.net.head(features)


class Ending(nn.Module):
    """The network with an activation inside."""

    def __init__(self, net, activation):
        super().__init__()
        self.net, self.activation = net, activation

    def forward(self, x):
        return self.activation(self.net(x))


class ChannelsLast(nn.Module):
    """A network whose input is NHWC floats."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(x.permute(0, 3, 1, 2))


class Bytes(nn.Module):
    """A network whose input is NHWC bytes, which it normalises itself."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        x = x.permute(0, 3, 1, 2).to(torch.float32) / 255
        return self.net((x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1))


def network(channels=3):
    """A network with BatchNorm statistics of random inputs and a head with large weights."""
    torch.manual_seed(7)
    net = Tiny(channels)
    with torch.no_grad():
        net.train()
        for _ in range(20):
            net(torch.randn(16, channels, SIZE, SIZE))
        net.head.weight.mul_(6)
    return net.eval()


def picture():
    """A smooth, coloured, asymmetric picture with some noise, of the size of the input."""
    rng = np.random.default_rng(11)
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    channels = [np.sin(5 * x + y), np.cos(3 * y), np.sin(4 * x * y + 1)]
    pixels = np.stack([128 + 90 * c for c in channels], -1) + rng.normal(0, 12, (SIZE, SIZE, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def normalised(image, mean=MEAN, std=STD):
    """The picture as 1×C×H×W float32, normalised by `mean` and `std`."""
    pixels = np.asarray(image, np.float32).reshape(SIZE, SIZE, -1) / 255
    return ((pixels - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)[None].astype(np.float32)


def run(path, value, output):
    """The output of ONNX Runtime in its exact mode, flattened. `output` is the first one if it is None."""
    options = ort.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    source = path if isinstance(path, bytes) else str(path)
    session = ort.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return session.run([output or names[0]], {session.get_inputs()[0].name: value})[0].ravel().astype(np.float64)


def probabilities(values, activation):
    if activation == "softmax":
        e = np.exp(values - values.max())
        return e / e.sum()
    return 1 / (1 + np.exp(-values)) if activation == "sigmoid" else values


def export(name, net, sample, opset, dynamo=False, batch=False, outputs=("logits",), external=False):
    """Exports a network and gives the path. With `batch`, the batch axis is symbolic."""
    path = HERE / f"{name}.onnx"
    kwargs = {}
    if batch and dynamo:
        kwargs["dynamic_shapes"] = ({0: torch.export.Dim("batch")},)
    elif batch:
        kwargs["dynamic_axes"] = {"input": {0: "batch"}, **{o: {0: "batch"} for o in outputs}}
    if dynamo:
        sample = sample.repeat(2, *[1] * (sample.dim() - 1)) if batch else sample
        kwargs["external_data"] = external
    torch.onnx.export(net, (sample,), str(path), opset_version=opset, dynamo=dynamo, input_names=["input"],
                      output_names=list(outputs), **kwargs)
    if dynamo:
        strip_traces(path)
    return path


def strip_traces(path):
    """Removes the stack traces that the dynamo exporter adds to each node, because they have paths of the machine."""
    model = onnx.load(path, load_external_data=False)
    for node in model.graph.node:
        kept = [p for p in node.metadata_props if p.key != "pkg.torch.onnx.stack_trace"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
    onnx.save(model, path)


class Random(CalibrationDataReader):
    """The calibration data: the picture and eight inputs of noise."""

    def __init__(self, image):
        rng = np.random.default_rng(3)
        noise = [rng.normal(0, 1, (1, 3, SIZE, SIZE)).astype(np.float32) for _ in range(8)]
        self.samples = iter([{"input": v} for v in [normalised(image), *noise]])

    def get_next(self):
        return next(self.samples, None)


def quantized(name, source, image, activations, per_channel, form=QuantFormat.QDQ, weights=QuantType.QInt8, **more):
    path = HERE / f"{name}.onnx"
    quantize_static(str(source), str(path), Random(image), quant_format=form, per_channel=per_channel,
                    activation_type=activations, weight_type=weights, **more)
    return path


def as_float16(source):
    """(path of the graph with all floats in 16 bits, bytes of the graph with the same weights in 32 bits).

    The second is the reference, because the engine computes 16-bit graphs in 32 bits.
    """
    model = onnx.load(source)
    halves, wide = onnx.ModelProto(), onnx.ModelProto()
    halves.CopyFrom(model), wide.CopyFrom(model)
    for graph, kind in ((halves.graph, np.float16), (wide.graph, np.float32)):
        constants = [*graph.initializer, *[a.t for n in graph.node for a in n.attribute if a.HasField("t")]]
        for tensor in constants:
            if tensor.data_type == TensorProto.FLOAT:
                rounded = onnx.numpy_helper.to_array(tensor).astype(np.float16)
                tensor.CopyFrom(onnx.numpy_helper.from_array(rounded.astype(kind), tensor.name))
    for info in [*halves.graph.input, *halves.graph.output]:
        info.type.tensor_type.elem_type = TensorProto.FLOAT16
    onnx.checker.check_model(halves, full_check=True)
    onnx.save(halves, HERE / "float16.onnx")
    return HERE / "float16.onnx", wide.SerializeToString()


def fake_quantized(source):
    """A QDQ graph with float weights before a QuantizeLinear and with float biases.

    Exporters of quantization-aware training write graphs in this form.
    """
    model = onnx.load(source)
    graph = model.graph
    constants = {t.name: t for t in graph.initializer}
    readers = {name: node for node in graph.node for name in node.input}
    for node in list(graph.node):
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            continue
        tensor = constants[node.input[0]]
        q, scale = (onnx.numpy_helper.to_array(constants[name]) for name in node.input[:2])
        by_axis = scale.reshape([-1] + [1] * (q.ndim - 1)) if scale.size > 1 else scale
        real = (q.astype(np.float32) * by_axis).astype(np.float32)
        if q.dtype == np.int32:
            readers[node.output[0]].input[2] = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(real, tensor.name))
            graph.node.remove(node)
        else:
            tensor.CopyFrom(onnx.numpy_helper.from_array(real, tensor.name))
            codes = helper.make_node("QuantizeLinear", node.input, [f"{tensor.name}/q"], axis=0)
            node.input[0] = codes.output[0]
            graph.node.insert(0, codes)
    onnx.save(model, HERE / "fake-quantized.onnx")
    return HERE / "fake-quantized.onnx"


def half_quantized(source, image):
    """A graph that is quantized except for its middle, which stays in float."""
    kept = ("/block/block.3", "/block/block.5", "/block/block.6", "/Add")
    names = [node.name for node in onnx.load(source).graph.node if node.name.startswith(kept)]
    return quantized("half-quantized", source, image, QuantType.QInt8, True, nodes_to_exclude=names)


def otherwise_quantized(torchscript, image):
    """Other ways of quantizing than QDQ with signed weights, as `served` gives them."""
    plain = lambda path: (path, normalised(image), None, "softmax", {})
    operators = {"form": QuantFormat.QOperator}
    yield plain(quantized("qoperator-u8", torchscript, image, QuantType.QUInt8, True, **operators))
    # ONNX Runtime lacks some of these operators for signed bytes, so that the QDQ graph is the reference.
    quantized("qoperator-s8", torchscript, image, QuantType.QInt8, True, **operators)
    yield HERE / "qdq-s8.onnx", normalised(image), None, "softmax", {"graph": "qoperator-s8.onnx"}
    yield plain(quantized("qdq-u8-u8", torchscript, image, QuantType.QUInt8, True, weights=QuantType.QUInt8))
    dynamic = HERE / "dynamic.onnx"
    quantize_dynamic(str(torchscript), str(dynamic), per_channel=True)
    yield plain(dynamic)
    yield plain(half_quantized(torchscript, image))
    # The QDQ graph is the reference, because ONNX Runtime does not compute in integers with a float bias.
    fake_quantized(HERE / "qdq-u8.onnx")
    yield (HERE / "qdq-u8.onnx", normalised(image), None, "softmax", {"graph": "fake-quantized.onnx"})
    path, wide = as_float16(torchscript)
    yield (wide, normalised(image), None, "softmax", {"graph": path.name})


def served(image, grey):
    """(path or bytes of the reference, input, output, activation, fields of the manifest) of all graphs that must be served.

    The field `graph` names the tested file if it is not the reference.
    """
    net, chw = network(), torch.from_numpy(normalised(image))
    hwc = chw.permute(0, 2, 3, 1).contiguous()
    raw = torch.from_numpy(np.asarray(image)[None].copy())
    values = normalised(image)
    plain = lambda path: (path, values, None, "softmax", {})
    torchscript = [export(f"torchscript-{o}", net, chw, o) for o in (13, 17, 20)]
    yield from map(plain, torchscript)
    yield from (plain(export(f"dynamo-{o}", net, chw, o, dynamo=True)) for o in (18, 21))
    yield plain(export("dynamo-external", net, chw, 18, dynamo=True, external=True))
    yield plain(export("torchscript-batch", net, chw, 17, batch=True))
    yield plain(export("dynamo-batch", net, chw, 18, dynamo=True, batch=True))
    yield plain(symbolic_size(torchscript[1]))
    yield (export("nhwc", ChannelsLast(net), hwc, 17), hwc.numpy(), None, "softmax", {})
    yield (export("bytes", Bytes(net), raw, 17), raw.numpy(), None, "softmax",
           {"mean": [0, 0, 0], "std": [1 / 255] * 3})
    yield (export("softmax-inside", Ending(net, nn.Softmax(-1)), chw, 17), values, None, "none", {})
    yield (export("sigmoid-inside", Ending(net, nn.Sigmoid()), chw, 17), values, None, "none", {})
    yield (torchscript[1], values, None, "sigmoid", {})
    yield (export("features-and-logits", WithFeatures(net), chw, 17, outputs=("features", "logits")), values, "logits",
           "softmax", {"output": "logits"})
    bgr = values[:, ::-1] * np.float32(STD[::-1]).reshape(1, 3, 1, 1) + np.float32(MEAN[::-1]).reshape(1, 3, 1, 1)
    bgr = ((bgr - np.float32(MEAN).reshape(1, 3, 1, 1)) / np.float32(STD).reshape(1, 3, 1, 1)).astype(np.float32)
    yield (torchscript[1], bgr, None, "softmax", {"color": "bgr"})
    one = normalised(grey, [0.5], [0.25])
    yield (export("gray", network(1), torch.from_numpy(one), 17), one, None, "softmax",
           {"color": "gray", "mean": [0.5], "std": [0.25]})
    for name, activations, per_channel in [("qdq-u8", QuantType.QUInt8, True), ("qdq-s8", QuantType.QInt8, True),
                                           ("qdq-u8-per-tensor", QuantType.QUInt8, False)]:
        yield plain(quantized(name, torchscript[1], image, activations, per_channel))
    yield plain(corners())
    yield from otherwise_quantized(torchscript[1], image)


def corners():
    """A QDQ graph with uncommon parts, which other quantizers than ONNX Runtime's may write.

    It has no zero point, unsigned weights with zero points, an activation that two operators read, a sum that broadcasts,
    and both signed and unsigned activations.
    """
    rng = np.random.default_rng(5)
    constants, nodes = [], []

    def constant(name, value):
        constants.append(onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(kind, inputs, output, **attributes):
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def quantized(value, scale, zero=None):
        parameters = [constant(f"{value}-scale", np.float32(scale))]
        parameters += [] if zero is None else [constant(f"{value}-zero", zero)]
        return node("DequantizeLinear", [node("QuantizeLinear", [value, *parameters], f"{value}-q"), *parameters],
                    f"{value}-d")

    def convolution(name, source, source_scale, shape, **attributes):
        scales = rng.uniform(0.004, 0.02, shape[0]).astype(np.float32)
        zeros = rng.integers(100, 156, shape[0]).astype(np.uint8)
        weights = [constant(f"{name}-w", rng.integers(0, 256, shape).astype(np.uint8)),
                   constant(f"{name}-ws", scales), constant(f"{name}-wz", zeros)]
        bias = [constant(f"{name}-b", rng.integers(-900, 900, shape[0]).astype(np.int32)),
                constant(f"{name}-bs", np.float32(source_scale) * scales)]
        inputs = [source, node("DequantizeLinear", weights, f"{name}-wd", axis=0),
                  node("DequantizeLinear", bias, f"{name}-bd", axis=0)]
        return node("Conv", inputs, name, **attributes)

    source = quantized("input", 0.011)
    stem = quantized(convolution("stem", source, 0.011, (6, 3, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]), 0.03,
                     np.int8(-20))
    deep = quantized(convolution("deep", stem, 0.03, (6, 1, 3, 3), group=6, pads=[1, 1, 1, 1]), 0.025, np.uint8(131))
    pooled = quantized(node("GlobalAveragePool", [stem], "pooled"), 0.01, np.uint8(99))
    total = quantized(node("Add", [deep, pooled], "total"), 0.04, np.uint8(120))
    last = quantized(convolution("last", total, 0.04, (3, 6, 1, 1)), 0.05, np.int8(7))
    node("Flatten", [node("GlobalAveragePool", [last], "scores")], "logits")
    picture_in = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIZE, SIZE])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    save_graph("qdq-corners", nodes, [picture_in], [logits], constants)
    return HERE / "qdq-corners.onnx"


def symbolic_size(source):
    """A graph with symbolic height and width, as detectors and fully convolutional networks have them."""
    model = onnx.load(source)
    for i, name in ((0, "batch"), (2, "height"), (3, "width")):
        model.graph.input[0].type.tensor_type.shape.dim[i].dim_param = name
    del model.graph.value_info[:]
    path = HERE / "symbolic-size.onnx"
    onnx.save(model, path)
    return path


def save_graph(name, nodes, inputs, outputs, initializers=(), domains=(), opset=17):
    opsets = [helper.make_opsetid("", opset), *[helper.make_opsetid(d, 1) for d in domains]]
    graph = helper.make_graph(list(nodes), name, list(inputs), list(outputs), list(initializers))
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), HERE / f"{name}.onnx")


def refused(source):
    """(file, words that the message must have) of the valid graphs that are not served."""
    picture_in = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, SIZE, SIZE])
    scores = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    save_graph("unknown-operator", [helper.make_node("Frobnicate", ["input"], ["logits"], name="head/frob",
                                                     domain="org.example")],
               [picture_in], [scores], domains=["org.example"])
    yield "unknown-operator", ["org.example.Frobnicate", "head/frob"]
    other = helper.make_tensor_value_info("age", TensorProto.FLOAT, [1, 3])
    save_graph("two-inputs", [helper.make_node("ReduceMean", ["input"], ["m"], axes=[2, 3], keepdims=0),
                              helper.make_node("Add", ["m", "age"], ["logits"])], [picture_in, other], [scores])
    yield "two-inputs", ["age"]
    save_graph("class-index", [helper.make_node("ReduceMean", ["input"], ["m"], axes=[2, 3], keepdims=0),
                               helper.make_node("ArgMax", ["m"], ["logits"], axis=1)], [picture_in],
               [helper.make_tensor_value_info("logits", TensorProto.INT64, [1, 1])])
    yield "class-index", ["logits"]
    for name, shape, wanted in [("fixed-batch", [4, 3, SIZE, SIZE], "batch"), ("rank-three", [3, SIZE, SIZE], "axes"),
                                ("other-size", [1, 3, 48, SIZE], "48")]:
        value = helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)
        axes = [len(shape) - 2, len(shape) - 1]
        save_graph(name, [helper.make_node("ReduceMean", ["input"], ["logits"], axes=axes, keepdims=0)], [value],
                   [helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape[:-2])])
        yield name, [wanted]
    yield from hostile(picture_in, scores)
    yield from sixteen_bits(picture_in, scores)
    yield from qoperators(picture_in, scores)


def sixteen_bits(picture_in, scores):
    """Forms of quantization of newer operator sets that are not served: 16 bits, and blocks."""
    scale = onnx.numpy_helper.from_array(np.float32(0.001), "scale")
    zero = onnx.numpy_helper.from_array(np.uint16(30000), "zero")
    back = [helper.make_node("ReduceMean", ["d", "axes"], ["logits"], keepdims=0)]
    axes = onnx.numpy_helper.from_array(np.int64([2, 3]), "axes")
    save_graph("sixteen-bits", [helper.make_node("QuantizeLinear", ["input", "scale", "zero"], ["q"]),
                                helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["d"]), *back],
               [picture_in], [scores], [scale, zero, axes], opset=21)
    yield "sixteen-bits", ["zero", "uint16"]
    save_graph("sixteen-bits-by-attribute",
               [helper.make_node("QuantizeLinear", ["input", "scale"], ["q"], name="wide",
                                 output_dtype=TensorProto.INT16),
                helper.make_node("DequantizeLinear", ["q", "scale"], ["d"]), *back],
               [picture_in], [scores], [scale, axes], opset=21)
    yield "sixteen-bits-by-attribute", ["QuantizeLinear", "wide", "8 bits"]
    halves = onnx.numpy_helper.from_array(np.full((1, 3, 2, SIZE), 0.01, np.float32), "halves")
    weights = onnx.numpy_helper.from_array(np.ones((1, 3, SIZE, SIZE), np.int8), "weights")
    save_graph("blocks", [helper.make_node("DequantizeLinear", ["weights", "halves"], ["w"], name="blocked", axis=2,
                                           block_size=SIZE // 2),
                          helper.make_node("Mul", ["input", "w"], ["d"]), *back],
               [picture_in], [scores], [weights, halves, axes], opset=21)
    yield "blocks", ["DequantizeLinear", "blocked", "blocks"]


def qoperators(picture_in, scores):
    """A QOperator in a form that the standard operators do not have."""
    constants = [onnx.numpy_helper.from_array(np.float32(0.02), "s"), onnx.numpy_helper.from_array(np.uint8(128), "z")]
    save_graph("channels-last",
               [helper.make_node("QuantizeLinear", ["input", "s", "z"], ["q"]),
                helper.make_node("QLinearGlobalAveragePool", ["q", "s", "z", "s", "z"], ["p"], name="pool",
                                 domain="com.microsoft", channels_last=1),
                helper.make_node("DequantizeLinear", ["p", "s", "z"], ["d"]),
                helper.make_node("Flatten", ["d"], ["logits"])],
               [picture_in], [scores], constants, domains=["com.microsoft"])
    yield "channels-last", ["com.microsoft.QLinearGlobalAveragePool", "pool", "channels_last"]


def hostile(picture_in, scores):
    """Graphs that no exporter writes."""
    mean = helper.make_node("ReduceMean", ["input"], ["m"], axes=[2, 3], keepdims=0)
    branch = helper.make_graph([helper.make_node("Identity", ["m"], ["inner"])], "branch", [],
                               [helper.make_tensor_value_info("inner", TensorProto.FLOAT, [1, 3])])
    yes = helper.make_tensor("yes", TensorProto.BOOL, [], [True])
    save_graph("control-flow", [mean, helper.make_node("If", ["yes"], ["logits"], name="gate", then_branch=branch,
                                                       else_branch=branch)], [picture_in], [scores], [yes])
    yield "control-flow", ["If", "gate"]
    save_graph("two-origins", [mean, helper.make_node("Identity", ["m"], ["logits"]),
                               helper.make_node("Neg", ["m"], ["logits"])], [picture_in], [scores])
    yield "two-origins", ["logits", "twice"]
    huge = helper.make_tensor("huge", TensorProto.INT64, [4], [1, 3, 1 << 20, 1 << 20])
    save_graph("huge-tensor", [helper.make_node("ConstantOfShape", ["huge"], ["zeros"], name="bomb"),
                               helper.make_node("ReduceMean", ["zeros"], ["z"], axes=[2, 3], keepdims=0), mean,
                               helper.make_node("Add", ["z", "m"], ["logits"])], [picture_in], [scores], [huge])
    yield "huge-tensor", ["ConstantOfShape", "bomb"]


def main():
    image = picture()
    image.save(HERE / "picture.png")
    grey = Image.fromarray(np.asarray(image.convert("L")))
    cases = []
    for path, value, output, activation, fields in served(image, grey):
        expected = probabilities(run(path, value, output), activation)
        name = fields.pop("graph", None) or path.name
        cases.append({"graph": name, "activation": activation, **fields, "expected": expected.round(7).tolist()})
    cases += [{"graph": f"{name}.onnx", "refused": wanted} for name, wanted in refused(HERE / "torchscript-17.onnx")]
    (HERE / "cases.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()
