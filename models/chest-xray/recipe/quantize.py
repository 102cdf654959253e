"""Exports finished weights to ONNX and quantizes the graph to int8 with the ranges that they were finished in.

Weights become signed 8-bit with a scale for each output channel, activations unsigned 8-bit with a zero point. The
last layer's output stays float: a step of the logits would otherwise show in the scores. Global average pooling is
computed in float between rounded tensors.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from data import LABELS, pictures
from dataset import prepare
from export import export
from network import EfficientNetB0

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


def rounded_tensors(graph, behind=("Reshape",)):
    """Names of the tensors that the int8 graph rounds, in the order in which they are computed: the Points' order.

    Where an operator of those in `behind` follows, it is that one's output.
    """
    following = {node.input[0]: node.output[0] for node in graph.node if node.op_type in behind}
    outputs = [node.output[0] for node in graph.node if node.op_type in ROUNDED]
    return [graph.input[0].name] + [following.get(name, name) for name in outputs]


class OnePicture(CalibrationDataReader):
    """ONNX Runtime asks for pictures although all ranges are given."""

    def __init__(self, path):
        self.left = [{"input": prepare(path)}]

    def get_next(self):
        return self.left.pop() if self.left else None


def given(low, high):
    """A range as ONNX Runtime takes it."""
    return {"rmin": np.array(low, np.float32), "rmax": np.array(high, np.float32)}


def quantize(float_graph, int8_graph, reader, ranges):
    """`ranges`: (low, high) of all Points in their order."""
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
    network = finished(args.finished)
    export(network, getattr(args, "float"))
    ranges = json.loads(args.finished.with_suffix(".json").read_text())
    reader = OnePicture(args.dataset / pictures(args.dataset, "train")[0].file)
    with tempfile.TemporaryDirectory() as folder:
        # The int8 graph's ranges end where the ceilings are.
        open_above = Path(folder) / "without_ceilings.onnx"
        export(network.without_ceilings(), open_above)
        quantize(open_above, args.int8, reader, ranges.values())


if __name__ == "__main__":
    main()
