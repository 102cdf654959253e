"""Writes the reference scores of the tests: Pillow decodes and resizes pictures, and ONNX Runtime runs the graphs.

    python make_scores.py enlarge DATASET FOLDER
    python make_scores.py score LABELS.csv PICTURES --manifest JSON --float ONNX --int8 ONNX -o SCORES.csv [--draft]

`enlarge` writes the test split, enlarged to 2048×2048, into a folder. With these pictures, decoding at a reduced scale is
tested. They are not in the repository. Pillow's version is pinned, so that they are the same each time.

`score` writes one line for each picture and graph: the softmax of the logits, without temperature. ONNX Runtime runs in
its exact mode. Pictures are decoded in full. With `--draft`, they are decoded at the scale that the runtime chooses for
these sizes. (The runtime rounds a scaled side up where Pillow rounds it down.)
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 224
ENLARGED = (2048, 2048)  # a quarter, 512, is the smallest scale of at least twice the input: 448
QUALITY = 90


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    modes = parser.add_subparsers(dest="mode", required=True)
    enlarging = modes.add_parser("enlarge", help="write enlarged JPEGs of the test split into a folder")
    enlarging.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    enlarging.add_argument("output", type=Path, help="folder to fill")
    scoring = modes.add_parser("score", help="score pictures with both graphs")
    scoring.add_argument("labels", type=Path, help="CSV with the columns file and label; rows are scored if they have a "
                         "label of the model and, where there are such columns, are in split test and of this model")
    scoring.add_argument("pictures", type=Path, help="folder of the paths in the column file")
    scoring.add_argument("--manifest", type=Path, required=True, help="has the labels in the order of the logits")
    scoring.add_argument("--float", type=Path, required=True)
    scoring.add_argument("--int8", type=Path, required=True)
    scoring.add_argument("--draft", action="store_true", help="decode at the smallest scale of at least twice the input")
    scoring.add_argument("-o", "--output", type=Path, required=True)
    return parser.parse_args()


def rows_of(labels):
    """The rows of the test split, or all if there are no splits."""
    with open(labels, newline="") as table:
        return [row for row in csv.DictReader(table) if row.get("split", "test") == "test"]


def enlarge(dataset, output):
    for row in rows_of(dataset / "labels.csv"):
        target = output / row["file"]
        target.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(dataset / row["file"]) as image:
            image.convert("RGB").resize(ENLARGED, Image.Resampling.BICUBIC).save(target, quality=QUALITY)


def preprocess(path, draft):
    """A 1×3×224×224 float32 array: the whole picture, stretched by an antialiased bilinear filter, as (x − 128) / 128."""
    with Image.open(path) as image:
        if draft:
            image.draft("RGB", (2 * SIDE, 2 * SIDE))
        pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR), np.float32)
    return np.ascontiguousarray(((pixels - 128) / 128).transpose(2, 0, 1)[None])


def session(graph):
    import onnxruntime  # `enlarge` does not need it

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])


def softmax(logits):
    powers = np.exp(np.float64(logits) - np.max(logits))
    return powers / powers.sum()


def labels_of(manifest):
    return [label["id"] for label in manifest["output"]["labels"]]


def score(rows, labels, pictures, graphs, draft, output):
    sessions = {name: session(path) for name, path in graphs.items()}
    with open(output, "w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label", "graph", *labels])
        for row in rows:
            tensor = preprocess(pictures / row["file"], draft)
            for name, graph in sessions.items():
                scores = softmax(graph.run(["logits"], {"input": tensor})[0][0])
                writer.writerow([row["file"], row["label"], name, *(f"{value:.6f}" for value in scores)])


def main():
    args = arguments()
    if args.mode == "enlarge":
        enlarge(args.dataset, args.output)
    else:
        graphs = {"float": getattr(args, "float"), "int8": args.int8}
        manifest = json.loads(args.manifest.read_text())
        labels, name = labels_of(manifest), manifest["name"]
        rows = [row for row in rows_of(args.labels) if row["label"] in labels and row.get("model", name) == name]
        score(rows, labels, args.pictures, graphs, args.draft, args.output)


if __name__ == "__main__":
    main()
