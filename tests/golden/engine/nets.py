"""Quantizes whole networks with ONNX Runtime, in QDQ and QOperator form, and writes them as test vectors.

    python nets.py nets.bin FLOAT.onnx...

The file has the format that `generate.py` describes. `interpreter.py` computes the outputs of the QDQ graphs. A QOperator
graph must give the outputs of the QDQ graph of the same network. For each graph the script prints the maximum difference
to ONNX Runtime in its exact mode.
"""

import pathlib
import struct
import sys
import tempfile

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

import interpreter
from generate import run_onnxruntime


class Pictures(CalibrationDataReader):
    """Smooth random pictures in the range of normalised ones, for calibration and as inputs."""

    def __init__(self, name, shape, count, seed):
        rng = np.random.default_rng(seed)
        self.samples = [{name: smooth(rng, shape)} for _ in range(count)]
        self.remaining = iter(self.samples)

    def get_next(self):
        return next(self.remaining, None)


def smooth(rng, shape):
    """A picture of sine waves with a little noise, of the shape 1×channels×height×width."""
    y, x = np.mgrid[0:shape[2], 0:shape[3]] / shape[2]
    waves = [np.sin(rng.uniform(1, 9) * x + rng.uniform(1, 9) * y + rng.uniform(0, 6)) for _ in range(shape[1])]
    return (1.5 * np.stack(waves)[None] + rng.normal(0, 0.2, shape)).astype(np.float32)


def quantized(path, form, kind):
    """(quantized model, input) of a float graph. `form` is QDQ or QOperator, and `kind` the activations' type."""
    model = onnx.load(path)
    value = model.graph.input[0]
    shape = [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim]
    with tempfile.TemporaryDirectory() as folder:
        to = pathlib.Path(folder, "q.onnx")
        quantize_static(path, str(to), Pictures(value.name, shape, 3, 1), quant_format=form, per_channel=True,
                        activation_type=kind, weight_type=QuantType.QInt8)
        model = onnx.load(to)
    for i, length in enumerate(shape):
        model.graph.input[0].type.tensor_type.shape.dim[i].dim_value = length
    return model, Pictures(value.name, shape, 1, 2).samples[0][value.name]


def main():
    to, *paths = sys.argv[1:]
    field = lambda part: struct.pack("<I", len(part)) + part
    with open(to, "wb") as file:
        for path in paths:
            for kind in (QuantType.QUInt8, QuantType.QInt8):
                qdq, picture = quantized(path, QuantFormat.QDQ, kind)
                outputs = interpreter.run(qdq, picture)
                for form in (QuantFormat.QDQ, QuantFormat.QOperator):
                    model = qdq if form == QuantFormat.QDQ else quantized(path, form, kind)[0]
                    name = f"{pathlib.Path(path).stem} {form} {kind}"
                    try:
                        reference = run_onnxruntime(model, picture)[0]
                        print(name, "largest difference to ONNX Runtime", np.abs(reference - outputs[0]).max(), reference.ravel()[:3])
                    except Exception as error:  # ONNX Runtime lacks some operators for signed bytes.
                        print(name, "not run by ONNX Runtime:", str(error)[:120])
                    parts = [name.encode(), model.SerializeToString(), picture.tobytes()]
                    file.write(struct.pack("<I", len(outputs)))
                    file.write(b"".join(map(field, [*parts, *[output.tobytes() for output in outputs]])))


if __name__ == "__main__":
    main()
