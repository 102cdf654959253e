"""Converts the float graphs of `benches/models/make.py` to int8 files of LiteRT with onnx2tf.

    python benches/peers/convert.py FOLDER NAME...

It reads FOLDER/NAME.float.onnx and the crops of FOLDER/calibration.npy, on which the ONNX graphs are calibrated too. It
writes FOLDER/NAME.tflite, with float inputs and outputs and weights quantized per output channel. If onnx2tf fails, it
writes onnx2tf's output to FOLDER/NAME.unconverted.txt.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

# The test pictures of onnx2tf. It takes them from its working folder, and would otherwise fetch them from the network.
TEST_PICTURES = "calibration_image_sample_data_20x128x128x3_float32.npy"

# The name that onnx2tf gives to an int8 graph with float inputs and outputs.
OUTPUT = "{name}_integer_quant.tflite"


def convert(folder, name):
    with tempfile.TemporaryDirectory() as work:
        graph = pathlib.Path(work, f"{name}.onnx")
        shutil.copy(folder / f"{name}.float.onnx", graph)
        crops = np.load(folder / "calibration.npy")
        np.save(pathlib.Path(work, TEST_PICTURES), np.resize(crops[:, 48:176, 48:176], (20, 128, 128, 3)).astype(np.float32))
        # The crops are normalised already, so the mean is 0 and the standard deviation 1.
        command = [pathlib.Path(sys.executable).with_name("onnx2tf"), "-i", graph, "-o", work, "-oiqt", "-qt",
                   "per-channel", "-n", "-cind", "input", folder / "calibration.npy", "[[[[0,0,0]]]]", "[[[[1,1,1]]]]"]
        environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        converted = pathlib.Path(work, OUTPUT.format(name=name))
        if done.returncode or not converted.exists():
            print(f"{name}: not converted, status {done.returncode}:\n{done.stdout[-4000:]}", file=sys.stderr)
            (folder / f"{name}.unconverted.txt").write_text(done.stdout)
            return
        shutil.copy(converted, folder / f"{name}.tflite")
        print(f"{name}.tflite: {converted.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        convert(pathlib.Path(sys.argv[1]).resolve(), name)
