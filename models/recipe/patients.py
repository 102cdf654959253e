"""Prints how well held-out logits rank patients, not pictures.

    python3 models/recipe/patients.py LOGITS.csv --of LABEL,… --against LABEL,… [--where COLUMN=START]

A patient's score is the mean, over the pictures, of the log-odds of the labels that are looked for against those that they are
told from. Whoever has one picture of the first counts as one of them; pictures of other labels are left out. The interval is
of 95 %, from 2,000 bootstrap samples of the patients.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from evaluate import auc_interval, with_interval


def log_odds(row, found, others):
    """The log-odds of the labels `found` against `others` of a row of logits."""
    value = lambda labels: np.logaddexp.reduce([float(row[f"logit_{label}"]) for label in labels])
    return value(found) - value(others)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("logits", type=Path)
    parser.add_argument("--of", required=True, help="labels that are looked for")
    parser.add_argument("--against", required=True, help="labels that they are told from")
    parser.add_argument("--where", default="", help="only rows whose COLUMN begins with START")
    args = parser.parse_args()
    found, others = args.of.split(","), args.against.split(",")
    column, _, start = args.where.partition("=")
    patients = defaultdict(list)
    with open(args.logits, newline="") as table:
        for row in csv.DictReader(table):
            if row["label"] in (*found, *others) and row.get(column, "").startswith(start):
                patients[row["group"]].append((row["label"] in found, log_odds(row, found, others)))
    truth = np.array([any(label for label, _ in pictures) for pictures in patients.values()])
    scores = np.array([np.mean([score for _, score in pictures]) for pictures in patients.values()])
    pictures = [picture for group in patients.values() for picture in group]
    by_picture = roc_auc_score([label for label, _ in pictures], [score for _, score in pictures])
    print(f"{with_interval(auc_interval(truth, scores))} by patient: {truth.sum()} of {len(truth)} patients; "
          f"{by_picture:.3f} by picture, {len(pictures)} pictures")


if __name__ == "__main__":
    main()
