"""Scores a fold's held-out pictures with its float and its int8 graph, and says how well and how alike."""

import argparse
import csv
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from data import FOLDS, LABELS, pictures
from dataset import fold, labels_of
from evaluate import auc_interval, triple
from predict import logits, softmax


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("float", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--every", type=int, default=1, help="only every so many of the held-out pictures")
    parser.add_argument("-o", "--output", type=Path, help="CSV of both graphs' logits")
    return parser.parse_args()


def describe(labels, exact, coarse):
    questions = {"pneumonia against normal": (labels != 0, [1 - softmax(v)[:, 0] for v in (exact, coarse)])}
    for index, name in enumerate(LABELS):
        questions[f"{name} against the rest"] = (labels == index, [softmax(v)[:, index] for v in (exact, coarse)])
    ill = labels != 0
    between = [(v[:, 1] - v[:, 2])[ill] for v in (exact, coarse)]
    questions["bacterial against viral"] = (labels[ill] == 1, between)
    for name, (truth, scores) in questions.items():
        print(f"AUC {name}: float {triple(auc_interval(truth, scores[0]))}, int8 {triple(auc_interval(truth, scores[1]))}, "
              f"difference {roc_auc_score(truth, scores[1]) - roc_auc_score(truth, scores[0]):+.4f}")
    same = exact.argmax(axis=1) == coarse.argmax(axis=1)
    difference = np.abs(softmax(exact) - softmax(coarse))
    for name, values in (("float", exact), ("int8", coarse)):
        print(f"{name}: likeliest label right on {np.mean(values.argmax(axis=1) == labels):.4f}")
    print(f"same likeliest label on {same.sum()} of {len(same)} ({same.mean():.2%}); scores differ by "
          f"{difference.mean():.4f} on average and {difference.max():.3f} at most")


def main():
    args = arguments()
    _, rows = fold(pictures(args.dataset, "train"), args.fold, FOLDS)
    rows = rows[:: args.every]
    paths = [args.dataset / row.file for row in rows]
    exact, coarse = logits(getattr(args, "float"), paths), logits(args.int8, paths)
    if args.output:
        with open(args.output, "w", newline="") as table:
            writer = csv.writer(table, lineterminator="\n")
            for row, a, b in zip(rows, exact, coarse, strict=True):
                writer.writerow([row.file, LABELS[row.label], *map("{:.5f}".format, [*a, *b])])
    describe(labels_of(rows), exact, coarse)


if __name__ == "__main__":
    main()
