"""Exports finished weights to ONNX and quantizes the graph to int8 with the ranges that they were finished in.

Weights become signed 8-bit with a scale for each output channel, activations unsigned 8-bit with a zero point. The
last layer's output stays float: a step of the logits would otherwise show in the scores. Global average pooling is
computed in float between rounded tensors.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from data import LABELS, pictures
from dataset import SIDE, prepare
from network import EfficientNetB0

OPSET = 18
ROUNDED = ("Conv", "Sigmoid", "Mul", "Add", "ReduceMean")  # operators whose output a Point stands for


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("finished", type=Path, help="the .pt file that finish.py wrote, its .json beside it")
    parser.add_argument("--float", type=Path, required=True, help="where the float graph goes")
    parser.add_argument("--int8", type=Path, required=True, help="where the quantized graph goes")
    return parser.parse_args()


def finished(path):
    """The network of finish.py: folded, exact."""
    network = EfficientNetB0(len(LABELS)).fold()
    network.load_state_dict(torch.load(path))
    return network.eval()


def export(network, path):
    """The float graph: input `input` 1×3×224×224, output `logits` 1×3."""
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, SIDE, SIDE),),
        path,
        input_names=["input"],
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    onnx.save(without_traces(onnx.load(path)), path)


def without_traces(model):
    """The model without the exporter's notes, which hold the source lines and paths of the machine it ran on."""
    for part in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer]:
        del part.metadata_props[:]
        part.doc_string = ""
    for value in [*model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    return model


def rounded_tensors(graph):
    """Names of the tensors that the int8 graph rounds, in the order in which they are computed: the Points' order."""
    reshaped = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Reshape"}
    outputs = [node.output[0] for node in graph.node if node.op_type in ROUNDED]
    return [graph.input[0].name] + [reshaped.get(name, name) for name in outputs]


class OnePicture(CalibrationDataReader):
    """ONNX Runtime asks for pictures although all ranges are given."""

    def __init__(self, path):
        self.left = [{"input": prepare(path)}]

    def get_next(self):
        return self.left.pop() if self.left else None


def given(low, high):
    """A range as ONNX Runtime takes it."""
    return {"rmin": np.array(low, np.float32), "rmax": np.array(high, np.float32)}


def quantize(float_graph, int8_graph, reader, ranges=None):
    """`ranges`: (low, high) of all Points in their order; without, those that the reader's pictures give."""
    overrides = {}
    if ranges is not None:
        names = rounded_tensors(onnx.load(float_graph).graph)
        overrides = {name: [given(*pair)] for name, pair in zip(names, ranges, strict=True)}
    quantize_static(
        str(float_graph),
        str(int8_graph),
        reader,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"], "TensorQuantOverrides": overrides},
    )


def main():
    args = arguments()
    export(finished(args.finished), getattr(args, "float"))
    ranges = json.loads(args.finished.with_suffix(".json").read_text())
    reader = OnePicture(args.dataset / pictures(args.dataset, "train")[0].file)
    quantize(getattr(args, "float"), args.int8, reader, ranges.values())


if __name__ == "__main__":
    main()
