"""Whole networks, quantized by ONNX Runtime in each of its ways, with what the contract gives for them.

    python nets.py nets.bin float.onnx [more float graphs]

QDQ graphs are run by `interpreter.py`; QOperator graphs must give what their QDQ twins give, and what ONNX Runtime in its
exact mode gives for either is printed beside it. The file is of the form that `generate.py` describes.
"""

import pathlib
import struct
import sys
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

import interpreter
from generate import of_reference


class Pictures(CalibrationDataReader):
    """Smooth ones, in the range of normalised pictures."""

    def __init__(self, name, shape, count, seed):
        rng = np.random.default_rng(seed)
        self.samples = [{name: smooth(rng, shape)} for _ in range(count)]
        self.left = iter(self.samples)

    def get_next(self):
        return next(self.left, None)


def smooth(rng, shape):
    y, x = np.mgrid[0:shape[2], 0:shape[3]] / shape[2]
    waves = [np.sin(rng.uniform(1, 9) * x + rng.uniform(1, 9) * y + rng.uniform(0, 6)) for _ in range(shape[1])]
    return (1.5 * np.stack(waves)[None] + rng.normal(0, 0.2, shape)).astype(np.float32)


def quantized(path, form, kind):
    """The graph in this form."""
    model = onnx.load(path)
    value = model.graph.input[0]
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    with tempfile.TemporaryDirectory() as folder:
        to = pathlib.Path(folder, "q.onnx")
        quantize_static(path, str(to), Pictures(value.name, shape, 3, 1), quant_format=form, per_channel=True,
                        activation_type=kind, weight_type=QuantType.QInt8)
        made = onnx.load(to)
    for i, length in enumerate(shape):
        made.graph.input[0].type.tensor_type.shape.dim[i].dim_value = length
    return made, Pictures(value.name, shape, 1, 2).samples[0][value.name]


def main():
    to, *paths = sys.argv[1:]
    field = lambda part: struct.pack("<I", len(part)) + part
    with open(to, "wb") as file:
        for path in paths:
            for kind in (QuantType.QUInt8, QuantType.QInt8):
                twin, picture = quantized(path, QuantFormat.QDQ, kind)
                outputs = interpreter.run(twin, picture)
                for form in (QuantFormat.QDQ, QuantFormat.QOperator):
                    model = twin if form == QuantFormat.QDQ else quantized(path, form, kind)[0]
                    name = f"{pathlib.Path(path).stem} {form} {kind}"
                    try:
                        theirs = of_reference(model, picture)[0]
                        print(name, "largest difference to ONNX Runtime", np.abs(theirs - outputs[0]).max(), theirs.ravel()[:3])
                    except Exception as error:  # It has not all operators for signed bytes.
                        print(name, "not run by ONNX Runtime:", str(error)[:120])
                    parts = [name.encode(), model.SerializeToString(), picture.tobytes()]
                    file.write(struct.pack("<I", len(outputs)))
                    file.write(b"".join(map(field, [*parts, *[output.tobytes() for output in outputs]])))


if __name__ == "__main__":
    main()
