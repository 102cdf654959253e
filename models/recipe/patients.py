"""Prints how well held-out logits rank patients, not pictures.

    python3 models/recipe/patients.py LOGITS.csv --of LABEL,… --against LABEL,… [--where COLUMN=START] [--beside OTHER.csv]

A patient's score is the mean, over the pictures, of the log-odds of the labels that are looked for against those that they are
told from. Whoever has one picture of the first counts as one of them; pictures of other labels are left out. The interval is
of 95 %, from 2,000 bootstrap samples of the patients. OTHER has logits of the same pictures, such as painted copies: the
difference of its area is printed, by the same samples.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from evaluate import auc_difference, auc_interval, with_interval


def log_odds(row, found, others):
    """The log-odds of the labels `found` against `others` of a row of logits."""
    value = lambda labels: np.logaddexp.reduce([float(row[f"logit_{label}"]) for label in labels])
    return value(found) - value(others)


def pictures_of(path, found, others, where):
    """For each patient, (whether it is looked for, score) of each picture."""
    column, _, start = where.partition("=")
    patients = defaultdict(list)
    with open(path, newline="") as table:
        for row in csv.DictReader(table):
            if row["label"] in (*found, *others) and row.get(column, "").startswith(start):
                patients[row["group"]].append((row["label"] in found, log_odds(row, found, others)))
    return patients


def by_patient(patients):
    """(whether each patient is looked for, score of each)."""
    truth = np.array([any(label for label, _ in pictures) for pictures in patients.values()])
    return truth, np.array([np.mean([score for _, score in pictures]) for pictures in patients.values()])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("logits", type=Path)
    parser.add_argument("--of", required=True, help="labels that are looked for")
    parser.add_argument("--against", required=True, help="labels that they are told from")
    parser.add_argument("--where", default="", help="only rows whose COLUMN begins with START")
    parser.add_argument("--beside", type=Path, help="other logits of the same pictures")
    args = parser.parse_args()
    found, others = args.of.split(","), args.against.split(",")
    patients = pictures_of(args.logits, found, others, args.where)
    truth, scores = by_patient(patients)
    pictures = [picture for group in patients.values() for picture in group]
    by_picture = roc_auc_score([label for label, _ in pictures], [score for _, score in pictures])
    print(f"{with_interval(auc_interval(truth, scores))} by patient: {truth.sum()} of {len(truth)} patients; "
          f"{by_picture:.3f} by picture, {len(pictures)} pictures")
    if args.beside:
        beside = pictures_of(args.beside, found, others, args.where)
        _, other_scores = by_patient({name: beside[name] for name in patients})
        print(f"{args.beside}: by {with_interval(auc_difference(truth, scores, other_scores))} beside that")


if __name__ == "__main__":
    main()
