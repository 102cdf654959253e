"""LiteRT's int8 files from the float graphs of `benches/models/make.py`: floats in and out, weights per output channel,
calibrated on the same crops as the ONNX graphs. Of a network that onnx2tf does not take, what it said is kept.

    python benches/peers/convert.py FOLDER NAME...

Writes FOLDER/NAME.tflite, or FOLDER/NAME.unconverted.txt.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy as np

# Pictures that onnx2tf would fetch from the network if they did not lie where it looks first; it tries graphs with them.
TRIED = "calibration_image_sample_data_20x128x128x3_float32.npy"

# onnx2tf's own name for an int8 graph with floats at its borders.
MADE = "{name}_integer_quant.tflite"


def convert(folder, name):
    with tempfile.TemporaryDirectory() as work:
        graph = pathlib.Path(work, f"{name}.onnx")
        shutil.copy(folder / f"{name}.float.onnx", graph)
        crops = np.load(folder / "calibration.npy")
        np.save(pathlib.Path(work, TRIED), np.resize(crops[:, 48:176, 48:176], (20, 128, 128, 3)).astype(np.float32))
        # The crops are from -1 to 1 already: mean 0, standard deviation 1.
        command = [pathlib.Path(sys.executable).with_name("onnx2tf"), "-i", graph, "-o", work, "-oiqt", "-qt",
                   "per-channel", "-n", "-cind", "input", folder / "calibration.npy", "[[[[0,0,0]]]]", "[[[[1,1,1]]]]"]
        environment = {**os.environ, "PATH": f"{pathlib.Path(sys.executable).parent}:{os.environ['PATH']}"}
        done = subprocess.run(command, cwd=work, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        made = pathlib.Path(work, MADE.format(name=name))
        if done.returncode or not made.exists():
            print(f"{name}: not converted, status {done.returncode}:\n{done.stdout[-4000:]}", file=sys.stderr)
            (folder / f"{name}.unconverted.txt").write_text(done.stdout)
            return
        shutil.copy(made, folder / f"{name}.tflite")
        print(f"{name}.tflite: {made.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    for name in sys.argv[2:]:
        convert(pathlib.Path(sys.argv[1]).resolve(), name)
