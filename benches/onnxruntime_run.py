"""Runs one model in ONNX Runtime on one thread, so that an emulator can count what an inference takes.

    python3 benches/onnxruntime_run.py MODEL COUNT

MODEL is an ONNX graph with one input, which gets the same values each time. As `bedside-engine`'s example `repeat`, it runs COUNT
inferences: the count of instructions with more of them, less that with one, is that of the inferences alone.
"""

import sys

import numpy as np
import onnxruntime


def main():
    model, count = sys.argv[1], int(sys.argv[2])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    shape = [side if isinstance(side, int) and side > 0 else 1 for side in given.shape]
    value = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    for _ in range(count):
        (first, *_) = session.run(None, {given.name: value})
    print(onnxruntime.__version__, first.ravel()[:4])


if __name__ == "__main__":
    main()
