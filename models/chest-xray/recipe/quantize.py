"""Exports finished weights to ONNX and quantizes the graph to int8 with the ranges of the quantization-aware training.

    python3 models/chest-xray/recipe/quantize.py DATASET FINISHED.pt --float FLOAT.onnx --int8 INT8.onnx

`models/recipe` must be on PYTHONPATH. The script reads the weights and the ranges (.json) that `finish.py` wrote, and
one picture of the dataset. It writes the float graph and the int8 graph.

Weights become signed 8-bit with a scale for each output channel, and activations unsigned 8-bit with a zero point. The
output of the last layer stays float, so that the logits are not quantized. Global average pooling is computed in float
between quantized tensors.
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
from dataset import preprocess
from export import export
from network import EfficientNetB0

# The operators whose output has a QuantizationPoint.
QUANTIZED_OPERATORS = ("Conv", "Sigmoid", "Mul", "Add", "ReduceMean")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("finished", type=Path, help="the .pt file that finish.py wrote, its .json beside it")
    parser.add_argument("--float", type=Path, required=True, help="where the float graph goes")
    parser.add_argument("--int8", type=Path, required=True, help="where the quantized graph goes")
    return parser.parse_args()


def finished(path):
    """The float network of finish.py with folded BatchNorms."""
    network = EfficientNetB0(len(LABELS)).fold()
    network.load_state_dict(torch.load(path))
    return network.eval()


def quantized_tensors(graph, followers=("Reshape",)):
    """The names of the tensors that the int8 graph quantizes, in order of execution, which is that of the points.

    If one of the operators in `followers` follows a tensor, the name is that of its output.
    """
    following = {node.input[0]: node.output[0] for node in graph.node if node.op_type in followers}
    outputs = [node.output[0] for node in graph.node if node.op_type in QUANTIZED_OPERATORS]
    return [graph.input[0].name] + [following.get(name, name) for name in outputs]


class OnePicture(CalibrationDataReader):
    """One picture, because ONNX Runtime wants calibration data although all ranges are given."""

    def __init__(self, path):
        self.remaining = [{"input": preprocess(path)}]

    def get_next(self):
        return self.remaining.pop() if self.remaining else None


def range_override(low, high):
    """A range in the form of ONNX Runtime's TensorQuantOverrides."""
    return {"rmin": np.array(low, np.float32), "rmax": np.array(high, np.float32)}


def quantize(float_graph, int8_graph, reader, ranges):
    """Quantizes a graph. `ranges` has the (low, high) of all points in their order."""
    names = quantized_tensors(onnx.load(float_graph).graph)
    overrides = {name: [range_override(*pair)] for name, pair in zip(names, ranges, strict=True)}
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
        # The ranges of the int8 graph end at the ceilings, so that it needs no operators for them.
        without_ceilings = Path(folder) / "without_ceilings.onnx"
        export(network.without_ceilings(), without_ceilings)
        quantize(without_ceilings, args.int8, reader, ranges.values())


if __name__ == "__main__":
    main()
