"""Exports trained weights to ONNX and quantizes the graph to int8.

    python3 models/recipe/quantize.py DATA TRAINED.pt --float FLOAT.onnx --int8 INT8.onnx [--fold PART]

The recipe of the model must be on PYTHONPATH, for its `data.py`. The script reads the weights that `train.py` wrote and 300 training pictures for
calibration. It writes the float graph and the int8 graph.

Weights become signed 8-bit with a scale for each output channel, and activations unsigned 8-bit with a zero point. The
ranges of the activations are the minimum and maximum over the calibration pictures. The output of the last layer stays
float, so that the logits are not quantized.

Depthwise kernels are rounded so that the sum of each channel's weights is kept. The sum is the channel's response
to a uniform input. Rounding each weight to the nearest would change it, most of all where large weights cancel out.
"""

import argparse
import os
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from data import FOLDS, LABELS, NETWORK, TRAINING_SPLITS, pictures
from dataset import SIDE, fold, preprocess
from export import export
from network import NETWORKS, Network

CALIBRATION_PICTURES = 300
MAX_WEIGHT = 127  # the maximum of a symmetric signed 8-bit weight


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of all data sets")
    parser.add_argument("trained", type=Path, help="the .pt file that train.py wrote")
    parser.add_argument("--float", type=Path, required=True, help="where the float graph goes")
    parser.add_argument("--int8", type=Path, required=True, help="where the quantized graph goes")
    parser.add_argument("--fold", help="the fold that these weights were trained without, or COLUMN=START")
    return parser.parse_args()


def trained(path):
    network = Network(NETWORK, len(LABELS)).fold()
    network.load_state_dict(torch.load(path))
    return network


class Pictures(CalibrationDataReader):
    """The calibration pictures, evenly spaced in the rows and preprocessed as the runtime does."""

    def __init__(self, root, rows):
        step = len(rows) / CALIBRATION_PICTURES
        self.paths = iter([Path(root) / rows[int(i * step)].file for i in range(CALIBRATION_PICTURES)])

    def get_next(self):
        path = next(self.paths, None)
        return None if path is None else {"input": preprocess(path)}


def round_keeping_sums(kernels):
    """The dequantized weights of kernels, given and returned as channels × weights, with the sum of each channel kept.

    Weights are rounded to the nearest first. Then those that lie closest to the next value are moved by one step, until
    the rounded sum is right.
    """
    scale = np.maximum(np.abs(kernels).max(axis=1, keepdims=True), np.finfo(np.float32).tiny) / MAX_WEIGHT
    exact = kernels / scale
    steps = np.round(exact)
    for channel, deficit in enumerate(np.round((exact - steps).sum(axis=1)).astype(int)):
        movable = np.flatnonzero(np.abs(steps[channel]) < MAX_WEIGHT)  # the largest weight sets the scale
        gain = (exact - steps)[channel, movable] * np.sign(deficit)
        steps[channel, movable[np.argsort(-gain)[: abs(deficit)]]] += np.sign(deficit)
    return steps * scale


def with_rounded_depthwise(model):
    """The float model with depthwise kernels that the quantizer represents exactly."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        kernel = constants[node.input[1]] if node.op_type == "Conv" else None
        if kernel is None or kernel.dims[1] != 1:
            continue
        weights = numpy_helper.to_array(kernel)
        rounded = round_keeping_sums(weights.reshape(len(weights), -1).astype(np.float64))
        kernel.CopyFrom(numpy_helper.from_array(rounded.reshape(weights.shape).astype(np.float32), kernel.name))
    return model


def quantize(float_graph, int8_graph, reader):
    """Quantizes a graph after its depthwise kernels are rounded."""
    with tempfile.TemporaryDirectory() as folder:
        rounded = Path(folder) / "rounded.onnx"
        onnx.save(with_rounded_depthwise(onnx.load(float_graph)), rounded)
        quantize_rounded(rounded, int8_graph, reader)


def quantize_rounded(float_graph, int8_graph, reader):
    quantize_static(
        str(float_graph),
        str(int8_graph),
        reader,
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={"OpTypesToExcludeOutputQuantization": ["Gemm"]},
    )


def main():
    args = arguments()
    if NETWORKS[NETWORK][2] != SIDE:
        raise SystemExit(f"{NETWORK} takes pictures of {NETWORKS[NETWORK][2]} pixels, and graphs are exported for {SIDE}")
    rows = pictures(args.data, *TRAINING_SPLITS)
    if args.fold is not None:
        rows, _ = fold(rows, args.fold, FOLDS)
    export(trained(args.trained), getattr(args, "float"))
    fresh = args.int8.with_suffix(".fresh")
    quantize(getattr(args, "float"), fresh, Pictures(args.data, rows))
    # At once: a graph that is there is taken for whole.
    os.replace(fresh, args.int8)


if __name__ == "__main__":
    main()
