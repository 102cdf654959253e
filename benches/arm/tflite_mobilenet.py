"""Writes a MobileNetV2 (1.0, 224×224) as an int8 file of TensorFlow Lite, as its converter writes one: signed bytes, a scale for each
output channel, ReLU6 fused. Its numbers are made up: the instructions of an inference don't depend on them.

    python benches/arm/tflite_mobilenet.py FILE OUTPUTS

`tflite_run.py` runs it. Needs the packages of requirements.txt.
"""

import sys

import flatbuffers
import numpy as np
import tflite

INPUT_SIDE = 224
# For each stage: expansion, channels, blocks, stride of the first block (the paper's table 2).
STAGES = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
# The versions of the operators that have int8.
VERSIONS = {"CONV_2D": 3, "DEPTHWISE_CONV_2D": 3, "ADD": 2, "MEAN": 2, "FULLY_CONNECTED": 4}


class Network:
    """The tensors, constants and operators of a network, as plain data."""

    def __init__(self):
        self.random = np.random.default_rng(1)
        self.tensors, self.buffers, self.operators = [], [b""], []

    def tensor(self, shape, scales, zero_point, data=None, axis=0, kind=tflite.TensorType.INT8):
        buffer = 0
        if data is not None:
            self.buffers.append(data.tobytes())
            buffer = len(self.buffers) - 1
        self.tensors.append((list(shape), kind, buffer, scales, zero_point, axis))
        return len(self.tensors) - 1

    def activations(self, *shape, relu=True):
        return self.tensor([1, *shape], [6 / 255], -128) if relu else self.tensor([1, *shape], [0.2], 3)

    def weights(self, shape, channels, axis, input_scale):
        scales = self.random.uniform(0.002, 0.01, channels)
        weights = self.tensor(shape, scales, 0, self.random.integers(-127, 128, shape).astype(np.int8), axis)
        bias = self.random.integers(-2000, 2000, channels).astype(np.int32)
        return [weights, self.tensor([channels], scales * input_scale, 0, bias, kind=tflite.TensorType.INT32)]

    def convolution(self, start, channels, kernel, stride=1, relu=True, depthwise=False):
        _, height, width, inputs = self.tensors[start][0]
        shape = [1, kernel, kernel, channels] if depthwise else [channels, kernel, kernel, inputs]
        weights = self.weights(shape, channels, 3 if depthwise else 0, self.tensors[start][3][0])
        to = self.activations(-(-height // stride), -(-width // stride), channels, relu=relu)
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.operators.append((name, [start, *weights], to, (stride, relu)))
        return to

    def block(self, start, expansion, channels, stride):
        _, height, width, inputs = self.tensors[start][0]
        wide = start if expansion == 1 else self.convolution(start, inputs * expansion, 1)
        to = self.convolution(self.convolution(wide, inputs * expansion, 3, stride, depthwise=True), channels, 1, relu=False)
        if stride > 1 or channels != inputs:
            return to
        total = self.activations(height, width, channels, relu=False)
        self.operators.append(("ADD", [start, to], total, None))
        return total


def mobilenet(outputs):
    network = Network()
    at = start = network.tensor([1, INPUT_SIDE, INPUT_SIDE, 3], [1 / 128], 0)
    at = network.convolution(at, 32, 3, 2)
    for expansion, channels, blocks, stride in STAGES:
        for number in range(blocks):
            at = network.block(at, expansion, channels, stride if number == 0 else 1)
    at = network.convolution(at, 1280, 1)
    axes = network.tensor([2], None, 0, np.array([1, 2], np.int32), kind=tflite.TensorType.INT32)
    mean = network.activations(1280)
    network.operators.append(("MEAN", [at, axes], mean, None))
    weights = network.weights([outputs, 1280], outputs, 0, 6 / 255)
    end = network.tensor([1, outputs], [0.2], 3)
    network.operators.append(("FULLY_CONNECTED", [mean, *weights], end, None))
    return network, start, end


class Writer(flatbuffers.Builder):
    """Writes the tables of TensorFlow Lite's schema."""

    def list(self, table, field, items, prepend=None):
        getattr(tflite, f"{table}Start{field}Vector")(self, len(items))
        for item in reversed(items):
            (prepend or self.PrependUOffsetTRelative)(item)
        return self.EndVector()

    def table(self, name, **fields):
        getattr(tflite, f"{name}Start")(self)
        for field, value in fields.items():
            if value is not None:
                getattr(tflite, f"{name}Add{field}")(self, value)
        return getattr(tflite, f"{name}End")(self)

    def tensor(self, number, shape, kind, buffer, scales, zero_point, axis):
        name, shape = self.CreateString(f"t{number}"), self.list("Tensor", "Shape", shape, self.PrependInt32)
        quantization = None
        if scales is not None:
            lists = {
                "Scale": self.list("QuantizationParameters", "Scale", list(map(float, scales)), self.PrependFloat32),
                "ZeroPoint": self.list("QuantizationParameters", "ZeroPoint", [zero_point] * len(scales), self.PrependInt64),
            }
            quantization = self.table("QuantizationParameters", **lists, QuantizedDimension=axis)
        return self.table("Tensor", Shape=shape, Type=kind, Buffer=buffer, Name=name, Quantization=quantization)

    def operator(self, name, inputs, to, options):
        kinds = {"CONV_2D": "Conv2DOptions", "DEPTHWISE_CONV_2D": "DepthwiseConv2DOptions", "ADD": "AddOptions",
                 "MEAN": "ReducerOptions", "FULLY_CONNECTED": "FullyConnectedOptions"}
        fields = {}
        if options:
            stride, relu = options
            activation = tflite.ActivationFunctionType.RELU6 if relu else tflite.ActivationFunctionType.NONE
            fields = {"Padding": tflite.Padding.SAME, "StrideW": stride, "StrideH": stride, "DilationWFactor": 1,
                      "DilationHFactor": 1, "FusedActivationFunction": activation}
        if name == "DEPTHWISE_CONV_2D":
            fields["DepthMultiplier"] = 1
        table = self.table(kinds[name], **fields)
        inputs = self.list("Operator", "Inputs", inputs, self.PrependInt32)
        outputs = self.list("Operator", "Outputs", [to], self.PrependInt32)
        return self.table("Operator", OpcodeIndex=list(VERSIONS).index(name), Inputs=inputs, Outputs=outputs,
                          BuiltinOptionsType=getattr(tflite.BuiltinOptions, kinds[name]), BuiltinOptions=table)


def written(network, start, end):
    writer = Writer(1 << 22)
    contents = [writer.CreateByteVector(buffer) if buffer else None for buffer in network.buffers]
    buffers = [writer.table("Buffer", Data=content) for content in contents]
    tensors = [writer.tensor(number, *tensor) for number, tensor in enumerate(network.tensors)]
    operators = [writer.operator(*operator) for operator in network.operators]
    numbers = {name: getattr(tflite.BuiltinOperator, name) for name in VERSIONS}
    codes = [writer.table("OperatorCode", DeprecatedBuiltinCode=numbers[name], BuiltinCode=numbers[name], Version=version)
             for name, version in VERSIONS.items()]
    graph = writer.table(
        "SubGraph",
        Tensors=writer.list("SubGraph", "Tensors", tensors),
        Inputs=writer.list("SubGraph", "Inputs", [start], writer.PrependInt32),
        Outputs=writer.list("SubGraph", "Outputs", [end], writer.PrependInt32),
        Operators=writer.list("SubGraph", "Operators", operators),
    )
    lists = {"OperatorCodes": writer.list("Model", "OperatorCodes", codes),
             "Subgraphs": writer.list("Model", "Subgraphs", [graph]), "Buffers": writer.list("Model", "Buffers", buffers)}
    writer.Finish(writer.table("Model", Version=3, **lists), b"TFL3")
    return writer.Output()


if __name__ == "__main__":
    with open(sys.argv[1], "wb") as file:
        file.write(written(*mobilenet(int(sys.argv[2]))))
