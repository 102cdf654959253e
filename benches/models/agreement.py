"""Compares Bedside's outputs for whole networks with those of ONNX Runtime in its exact mode, over real pictures.

    cargo build --release --workspace --example outputs
    python agreement.py target/release/examples/outputs --graphs A.onnx B.onnx --pictures FOLDER FOLDER --to table.md

It runs the example program `outputs` of `bedside-engine` and writes a table in Markdown. The pictures are JPEG files:
`--count` of them, the same number from each folder, evenly spaced in its list of files.

The signal-to-noise ratio is taken over all scores of all pictures. The signal is the output of ONNX Runtime, and the
noise is the difference of Bedside's output from it. The last column is the ratio between ONNX Runtime with its
optimizations and without them.

The script fails if the top label differs on more than one picture in a hundred. It fails too if the ratio is more than
1 dB below that of the last column.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime
from PIL import Image

SIDE = 224


def preprocess(path):
    """A 3×224×224 float32 array of values (x − 128) / 128."""
    image = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
    return ((np.asarray(image, np.float32) - 128) / 128).transpose(2, 0, 1)


def chosen_files(folders, count):
    """The same number of files from each folder, evenly spaced in its sorted list."""
    files = []
    for folder in folders:
        found = sorted(folder.rglob("*.jp*g"))
        indices = np.linspace(0, len(found) - 1, count // len(folders)).round().astype(int)
        files += [found[index] for index in indices]
    return files


def reference(graph, pictures, level):
    """ONNX Runtime's outputs in its exact mode at an optimization level, one row a picture."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.stack([session.run(None, {name: one[None]})[0].ravel() for one in pictures])


def bedside_outputs(program, graph, pictures):
    """Bedside's outputs, one row a picture."""
    with tempfile.TemporaryDirectory() as folder:
        inputs, outputs = pathlib.Path(folder, "pictures"), pathlib.Path(folder, "outputs")
        pictures.astype("<f4").tofile(inputs)
        subprocess.run([program, str(graph), str(inputs), str(outputs)], check=True)
        return np.fromfile(outputs, "<f4").reshape(len(pictures), -1)


def decibels(signal, other):
    """The signal-to-noise ratio of `other` against `signal` in decibels."""
    noise = np.square(signal - other, dtype=np.float64).sum()
    return np.inf if noise == 0 else 10 * np.log10(np.square(signal, dtype=np.float64).sum() / noise)


def shown(level):
    return "no noise" if level == np.inf else f"{level:.1f}"


def row(program, graph, pictures):
    """The table's row for a graph, and whether the graph agrees well enough."""
    levels = onnxruntime.GraphOptimizationLevel
    exact = reference(graph, pictures, levels.ORT_ENABLE_ALL)
    plain = reference(graph, pictures, levels.ORT_DISABLE_ALL)
    found = bedside_outputs(program, graph, pictures)
    same = np.count_nonzero(found.argmax(1) == exact.argmax(1))
    equal = np.count_nonzero((found == exact).all(1))
    name = graph.parent.name if graph.stem == "model" else graph.stem
    level, own_level = decibels(exact, found), decibels(plain, exact)
    cells = [name, len(pictures), same, equal, shown(level), shown(own_level)]
    return "| " + " | ".join(map(str, cells)) + " |", same >= 0.99 * len(pictures) and level >= own_level - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the example program outputs")
    parser.add_argument("--graphs", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--pictures", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--count", type=int, default=600, help="number of pictures in all")
    parser.add_argument("--to", type=pathlib.Path, required=True, help="where the table goes")
    arguments = parser.parse_args()
    pictures = np.stack([preprocess(path) for path in chosen_files(arguments.pictures, arguments.count)])
    rows = ["| graph | pictures | same top-1 | equal to the bit | decibels | ONNX Runtime optimised, against itself |",
            "|---|---|---|---|---|---|"]
    good = True
    for graph in arguments.graphs:
        line, enough = row(arguments.program, graph, pictures)
        rows.append(line)
        good = good and enough
    print("\n".join(rows))
    if not good:
        raise SystemExit("a graph does not agree well enough with ONNX Runtime's exact mode")
    arguments.to.parent.mkdir(parents=True, exist_ok=True)
    arguments.to.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
