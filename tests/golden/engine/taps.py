"""Writes reference values of tapped tensors: ONNX Runtime runs the shipped graphs in its exact mode on small pictures.

    python taps.py ../../../models -o taps.bin

Each sample picture is reduced to 28×28 pixels (Pillow, box), and each pixel is repeated 8×8 times, so that the picture
fits in the file. A pixel p becomes (p − 128) / 128, as in the manifests.

The file is a list of records: the model's name, the picture (28×28×3 bytes), and a list of taps: the tensor's name in
the graph, its shape, its scale (float32), its zero point (float32), and its integers as ONNX Runtime gives them, as bytes
(of the type uint8) in row-major order. The means, which are float32, stand behind them: the sum of the integers of a
channel, less the zero point, times the scale, over the number of pixels, in float64. All numbers are little-endian.
Names, lists of numbers and lists of bytes begin with their length.
"""

import argparse
import struct
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

SMALL, TIMES = 28, 8

# The model, its pictures, and its tensors: what `QuantizeLinear` makes. The last is the pooled one.
CASES = {
    "breast-ultrasound": (
        ["bus_0004-l.jpg", "normal_103.png"],
        ["add_5", "conv2d_50", "hardtanh_34", "view"],
    ),
    "chest-xray": (
        ["IM-0001-0001.jpeg", "person10_virus_35.jpeg"],
        ["conv2d_39", "conv2d_79", "silu_48", "view"],
    ),
}
# Integers of larger tensors are left out, and their means alone are written.
MAX_INTEGERS = 13 << 10


def picture_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((SMALL, SMALL), Image.Resampling.BOX))


def quantized(model, names):
    """ONNX Runtime's session of the graph, with the integers of these tensors as outputs; their scales and zero points."""
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    nodes = [next(n for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] == name) for name in names]
    for node in nodes:
        model.graph.output.append(onnx.helper.make_tensor_value_info(node.output[0], onnx.TensorProto.UINT8, None))
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session, [(constants[node.input[1]], constants[node.input[2]], node.output[0]) for node in nodes]


def field(part):
    return struct.pack("<I", len(part)) + part


def tap(name, integers, scale, zero_point):
    """The bytes of one tap."""
    assert integers.dtype == np.uint8 and integers.shape[0] == 1
    rows = integers.reshape(integers.shape[1], -1).astype(np.int64) - int(zero_point)
    means = (rows.sum(axis=1).astype(np.float64) * np.float64(scale) / rows.shape[1]).astype("<f4")
    kept = integers.tobytes() if integers.size <= MAX_INTEGERS else b""
    shape = np.array(integers.shape, "<u4").tobytes()
    numbers = np.array([scale, zero_point], "<f4").tobytes()
    return field(name.encode()) + field(shape) + field(numbers) + field(kept) + field(means.tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("models", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    with open(args.output, "wb") as file:
        for name, (pictures, tensors) in CASES.items():
            session, found = quantized(onnx.load(args.models / name / "model.onnx"), tensors)
            for path in pictures:
                picture = picture_of(args.models / "samples" / path)
                large = picture.repeat(TIMES, axis=0).repeat(TIMES, axis=1).astype(np.float32)
                tensor = np.ascontiguousarray(((large - 128) / 128).transpose(2, 0, 1)[None])
                integers = session.run([output for *_, output in found], {"input": tensor})
                taps = [tap(at, values, scale, zero) for at, values, (scale, zero, _) in zip(tensors, integers, found)]
                file.write(field(name.encode()) + field(picture.tobytes()) + struct.pack("<I", len(taps)) + b"".join(taps))
                print(name, path, [values.shape for values in integers], [int((v == 255).sum()) for v in integers])


if __name__ == "__main__":
    main()
