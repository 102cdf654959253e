"""Whole networks beside ONNX Runtime in its exact mode, over real pictures: a table of how well they agree.

    cargo build --release --workspace --example outputs
    python agreement.py target/release/examples/outputs --graphs A.onnx B.onnx --pictures FOLDER FOLDER --to table.md

The program is `bedside-engine`'s example. Pictures are JPEG files, `--count` of them from all over the folders, as many from
each. The signal is what ONNX Runtime gives, the noise what Bedside gives less that, over all scores of all pictures;
beside it stands the same of ONNX Runtime with its optimizations against it without. Fails where the likeliest label is
another on more than a picture in a hundred, or the noise is more than 1 dB above that of ONNX Runtime's own optimizations.
"""

import argparse
import pathlib
import subprocess
import tempfile

import numpy as np
import onnxruntime
from PIL import Image

SIDE = 224


def picture(path):
    image = Image.open(path).convert("RGB").resize((SIDE, SIDE), Image.BILINEAR)
    return ((np.asarray(image, np.float32) - 128) / 128).transpose(2, 0, 1)


def chosen(folders, count):
    """As many files of each folder, evenly from its list."""
    files = []
    for folder in folders:
        found = sorted(folder.rglob("*.jp*g"))
        places = np.linspace(0, len(found) - 1, count // len(folders)).round().astype(int)
        files += [found[place] for place in places]
    return files


def reference(graph, pictures, level):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.add_session_config_entry("session.x64quantprecision", "1")
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.stack([session.run(None, {name: one[None]})[0].ravel() for one in pictures])


def ours(program, graph, pictures):
    with tempfile.TemporaryDirectory() as folder:
        given, made = pathlib.Path(folder, "pictures"), pathlib.Path(folder, "outputs")
        pictures.astype("<f4").tofile(given)
        subprocess.run([program, str(graph), str(given), str(made)], check=True)
        return np.fromfile(made, "<f4").reshape(len(pictures), -1)


def decibels(signal, other):
    noise = np.square(signal - other, dtype=np.float64).sum()
    return np.inf if noise == 0 else 10 * np.log10(np.square(signal, dtype=np.float64).sum() / noise)


def shown(level):
    return "no noise" if level == np.inf else f"{level:.1f}"


def row(program, graph, pictures):
    """A line of the table, and whether it is good enough."""
    levels = onnxruntime.GraphOptimizationLevel
    exact = reference(graph, pictures, levels.ORT_ENABLE_ALL)
    plain = reference(graph, pictures, levels.ORT_DISABLE_ALL)
    found = ours(program, graph, pictures)
    same = np.count_nonzero(found.argmax(1) == exact.argmax(1))
    equal = np.count_nonzero((found == exact).all(1))
    name = graph.parent.name if graph.stem == "model" else graph.stem
    level, theirs = decibels(exact, found), decibels(plain, exact)
    cells = [name, len(pictures), same, equal, shown(level), shown(theirs)]
    return "| " + " | ".join(map(str, cells)) + " |", same >= 0.99 * len(pictures) and level >= theirs - 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--graphs", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--pictures", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--to", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    pictures = np.stack([picture(path) for path in chosen(arguments.pictures, arguments.count)])
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
