"""Fits temperature and operating points on pictures that the network did not learn from, and binds them to the graph.

    python3 models/recipe/calibrate.py DATASET --folds INT8... --int8 INT8 --manifest JSON --out-of-fold CSV

`data.py` of the model's recipe must be on PYTHONPATH, as `run.sh` has it. The script replaces the fitted fields of the
manifest, writes the pooled logits as CSV, and prints sensitivity and specificity at the operating points.

The network of each fold is trained, exported and quantized by one procedure. Its int8 graph scores the pictures that
the fold holds out. Temperature and operating points are fitted on the pooled scores of all given folds. If every fold
is given, the shipped network is trained on all pictures and takes these values over. If one fold is given, the shipped
network is that of the fold.

The operating point of a label is the highest threshold, rounded down, that keeps a sensitivity of 0.90 on the pooled
pictures of the label.
"""

import argparse
import csv
import hashlib
import json
from pathlib import Path

import numpy as np
from scipy.optimize import minimize_scalar

from data import FOLDS, LABELS, TRAINING_SPLITS, TRAINING_SPLITS_NAME, pictures
from dataset import fold, labels_of
from predict import logits, softmax

SENSITIVITY = 0.90
GRAPH_FIELD = 7  # ModelProto.graph, onnx.proto3


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("--folds", type=Path, nargs="+", required=True, help="int8 graphs of folds 0, 1, … in order")
    parser.add_argument("--int8", type=Path, required=True, help="the int8 graph that is shipped")
    parser.add_argument("--manifest", type=Path, required=True, help="manifest.json, whose fitted fields are replaced")
    parser.add_argument("--out-of-fold", type=Path, required=True, help="where the pooled logits go (CSV)")
    return parser.parse_args()


def pooled_logits(dataset, graphs):
    """(rows, logits) of the pictures that the folds hold out, each scored by the graph of its own fold."""
    rows, scores = [], []
    for index, graph in enumerate(graphs):
        _, held_out = fold(pictures(dataset, *TRAINING_SPLITS), index, FOLDS)
        rows += held_out
        scores.append(logits(graph, [dataset / row.file for row in held_out]))
    return rows, np.concatenate(scores)


def negative_log_likelihood(values, labels, temperature):
    return -np.log(softmax(values, temperature)[np.arange(len(labels)), labels]).mean()


def fit_temperature(values, labels):
    """The temperature with the minimum negative log-likelihood, to four digits: Guo et al. 2017, arXiv:1706.04599."""

    def loss(logarithm):
        return negative_log_likelihood(values, labels, np.exp(logarithm))

    return round(float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x)), 4)


def operating_point(probabilities):
    """The highest threshold, rounded down to four digits, that keeps the sensitivity on these pictures of one label."""
    ordered = np.sort(probabilities)[::-1]
    needed = int(np.ceil(SENSITIVITY * len(ordered)))
    return float(np.floor(ordered[needed - 1] * 1e4) / 1e4)


def varint(data, at):
    """(value, offset behind it) of a protobuf varint at an offset."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def graph_sha256(path):
    """SHA-256 of the GraphProto's bytes in the file, which are the last length-delimited field 7 at the top level."""
    data, at, graph = path.read_bytes(), 0, None
    while at < len(data):
        key, at = varint(data, at)
        length, at = varint(data, at)
        if key & 7 == 0:
            continue  # `length` is the value of a varint field
        if key & 7 != 2:
            raise ValueError(f"{path}: unexpected wire type {key & 7}")
        if key >> 3 == GRAPH_FIELD:
            graph = data[at : at + length]
        at += length
    return hashlib.sha256(graph).hexdigest()


def write_out_of_fold(path, rows, values):
    with open(path, "w", newline="") as table:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(["file", "label", *LABELS])
        for row, line in zip(rows, values, strict=True):
            writer.writerow([row.file, LABELS[row.label], *(f"{value:.6f}" for value in line)])


def main():
    args = arguments()
    rows, values = pooled_logits(args.dataset, args.folds)
    write_out_of_fold(args.out_of_fold, rows, values)
    labels = labels_of(rows)
    temperature = fit_temperature(values, labels)
    probabilities = softmax(values, temperature)

    manifest = json.loads(args.manifest.read_text())
    manifest["calibration"] = {
        "graph_sha256": graph_sha256(args.int8),
        "fitted_on": f"{len(rows)} pictures of {TRAINING_SPLITS_NAME}, held out in {len(args.folds)} of {FOLDS} folds and "
        "scored by the int8 graph of the network that did not learn from them",
        "temperature": temperature,
        "prevalence": [round(float(np.mean(labels == index)), 6) for index in range(len(LABELS))],
    }
    for index, label in enumerate(manifest["output"]["labels"]):
        label["operating_point"] = operating_point(probabilities[labels == index, index])
        reached = np.mean(probabilities[labels == index, index] >= label["operating_point"])
        passed = np.mean(probabilities[labels != index, index] < label["operating_point"])
        print(f"{label['id']}: operating point {label['operating_point']}, "
              f"sensitivity {reached:.3f}, specificity {passed:.3f}")
    args.manifest.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    before, after = (negative_log_likelihood(values, labels, t) for t in (1.0, temperature))
    print(f"temperature {temperature}: negative log-likelihood {before:.4f} before, {after:.4f} after")


if __name__ == "__main__":
    main()
