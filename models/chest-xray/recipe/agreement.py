"""Compares the float and the int8 graph of a fold on the fold's held-out pictures.

    python3 models/chest-xray/recipe/agreement.py DATASET FLOAT.onnx INT8.onnx [--fold N] [--every N] [-o LOGITS.csv]

`models/recipe` must be on PYTHONPATH. The script prints the AUC and the accuracy of both graphs and how far their
scores agree. With `-o`, it writes the logits of both graphs.
"""

import argparse
import csv
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from data import FOLDS, LABELS, pictures
from dataset import fold, labels_of
from evaluate import auc_interval, with_interval
from predict import logits, softmax


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("float", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("--fold", type=int, default=0, help="the fold whose held-out pictures are scored")
    parser.add_argument("--every", type=int, default=1, help="use every Nth of the held-out pictures")
    parser.add_argument("-o", "--output", type=Path, help="CSV of both graphs' logits")
    return parser.parse_args()


def print_comparison(labels, float_logits, int8_logits):
    """Prints the AUC of each question, the accuracy, and the agreement of the graphs."""
    graphs = (float_logits, int8_logits)
    questions = {"pneumonia against normal": (labels != 0, [1 - softmax(v)[:, 0] for v in graphs])}
    for index, name in enumerate(LABELS):
        questions[f"{name} against the rest"] = (labels == index, [softmax(v)[:, index] for v in graphs])
    ill = labels != 0
    between = [(v[:, 1] - v[:, 2])[ill] for v in graphs]
    questions["bacterial against viral"] = (labels[ill] == 1, between)
    for name, (truth, scores) in questions.items():
        intervals = [with_interval(auc_interval(truth, values)) for values in scores]
        print(f"AUC {name}: float {intervals[0]}, int8 {intervals[1]}, "
              f"difference {roc_auc_score(truth, scores[1]) - roc_auc_score(truth, scores[0]):+.4f}")
    same = float_logits.argmax(axis=1) == int8_logits.argmax(axis=1)
    difference = np.abs(softmax(float_logits) - softmax(int8_logits))
    for name, values in (("float", float_logits), ("int8", int8_logits)):
        print(f"{name}: likeliest label right on {np.mean(values.argmax(axis=1) == labels):.4f}")
    print(f"same likeliest label on {same.sum()} of {len(same)} ({same.mean():.2%}); scores differ by "
          f"{difference.mean():.4f} on average and {difference.max():.3f} at most")


def main():
    args = arguments()
    _, rows = fold(pictures(args.dataset, "train"), args.fold, FOLDS)
    rows = rows[:: args.every]
    paths = [args.dataset / row.file for row in rows]
    float_logits, int8_logits = logits(getattr(args, "float"), paths), logits(args.int8, paths)
    if args.output:
        with open(args.output, "w", newline="") as table:
            writer = csv.writer(table, lineterminator="\n")
            for row, a, b in zip(rows, float_logits, int8_logits, strict=True):
                writer.writerow([row.file, LABELS[row.label], *map("{:.5f}".format, [*a, *b])])
    print_comparison(labels_of(rows), float_logits, int8_logits)


if __name__ == "__main__":
    main()
