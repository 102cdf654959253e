"""Prints the signal-to-noise ratio of every quantized tensor of the int8 graph against the float graph.

    python3 models/chest-xray/recipe/snr.py DATASET FLOAT.onnx INT8.onnx [--fold N] [--pictures N]

`models/recipe` must be on PYTHONPATH. Both graphs run on the same held-out pictures of a fold, evenly spaced in their
list.
"""

import argparse
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from data import FOLDS, pictures
from dataset import fold, preprocess
from quantize import quantized_tensors


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("float", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("--fold", type=int, default=0, help="the fold whose held-out pictures are used")
    parser.add_argument("--pictures", type=int, default=24, help="the number of pictures")
    return parser.parse_args()


def session(path, outputs):
    """A session without graph optimizations, whose outputs are these tensors."""
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in outputs)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def decibels(signal, noise):
    return 10 * np.log10(signal / np.maximum(noise, 1e-20))


def ratios(float_graph, int8_graph, paths):
    """[(operator, tensor, decibels)] in order of execution, with the logits at the end."""
    graph = onnx.load(float_graph).graph
    operators = {name: node.op_type for node in graph.node for name in node.output}
    names = quantized_tensors(graph, ("Reshape", "Clip"))
    quantized = quantized_tensors(onnx.load(int8_graph).graph)
    float_session = session(float_graph, names + ["logits"])
    int8_session = session(int8_graph, [f"{name}_DequantizeLinear_Output" for name in quantized] + ["logits"])
    signal, noise = np.zeros(len(names) + 1), np.zeros(len(names) + 1)
    for path in paths:
        pairs = zip(*(run.run(None, {"input": preprocess(path)}) for run in (float_session, int8_session)), strict=True)
        for index, (a, b) in enumerate(pairs):
            signal[index] += np.square(a, dtype=np.float64).sum()
            noise[index] += np.square(a - b, dtype=np.float64).sum()
    kinds = [operators.get(name, "Input") for name in names] + ["Gemm"]
    return list(zip(kinds, names + ["logits"], decibels(signal, noise), strict=True))


def main():
    args = arguments()
    _, held_out = fold(pictures(args.dataset, "train"), args.fold, FOLDS)
    chosen = held_out[:: len(held_out) // args.pictures]
    for kind, name, ratio in ratios(getattr(args, "float"), args.int8, [args.dataset / row.file for row in chosen]):
        print(f"{ratio:6.1f} dB  {kind:10s} {name}")


if __name__ == "__main__":
    main()
