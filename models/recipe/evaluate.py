"""Prints how well a model's two graphs, float and int8, rank the pictures of the test split, and how closely they agree.

    python3 models/recipe/evaluate.py SCORES.csv MANIFEST.json [--together NAME=LABEL,…]

It reads the scores that `tests/golden/make_scores.py` wrote, and runs no graph. What the calibrated model makes of them is
`bedside evaluate`'s to say. `--together` adds labels that count as one. The intervals are of 95 %. Those of an AUC are
percentiles of 2,000 bootstrap samples of the pictures, without those that have none of the label, and those of a proportion are Wilson's.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

SAMPLES = 2000  # of the bootstrap
SEED = 20261123
Z = 1.959964  # 97.5th percentile of the normal distribution


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scores", type=Path, help="CSV: file, label, graph, one column a label")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--together", action="append", default=[], metavar="NAME=LABEL,…")
    return parser.parse_args()


def scores_of(table, graph, names):
    """(label indices, scores as pictures × labels) of a graph in the table's order. The scores are without temperature."""
    with open(table, newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["graph"] == graph]
    labels = np.array([names.index(row["label"]) for row in rows])
    return labels, np.array([[float(row[name]) for name in names] for row in rows])


def auc_interval(truth, scores):
    """(AUC, lower bound, upper bound)."""
    random = np.random.default_rng(SEED)
    draws = (random.integers(len(truth), size=len(truth)) for _ in range(SAMPLES))
    resampled = [roc_auc_score(truth[draw], scores[draw]) for draw in draws]
    return roc_auc_score(truth, scores), *np.nanpercentile(resampled, [2.5, 97.5])


def wilson(successes, count):
    """(proportion, lower bound, upper bound): Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    share = successes / count
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return share, centre - half, centre + half


def with_interval(values):
    """(value, lower bound, upper bound) as text."""
    return "{:.3f} ({:.3f}–{:.3f})".format(*values)


def auc_difference(truth, first, second):
    """The area by `second` less that by `first`, with the interval of samples that are the same for both."""
    random = np.random.default_rng(SEED)
    of = lambda at: roc_auc_score(truth[at], second[at]) - roc_auc_score(truth[at], first[at])
    drawn = [of(random.integers(len(truth), size=len(truth))) for _ in range(SAMPLES)]
    return of(np.arange(len(truth))), *np.nanpercentile(drawn, [2.5, 97.5])


def print_ranking(rankings, labels, graphs):
    """`rankings` has the name and the indices of the labels of each row."""
    print("| AUC, one label against the rest | float | int8 | difference |\n|---|---|---|---|")
    for name, indices in rankings:
        truth, summed = np.isin(labels, indices), [scores[:, indices].sum(axis=1) for scores in graphs]
        cells = [with_interval(auc_interval(truth, scores)) for scores in summed]
        cells.append(with_interval(auc_difference(truth, *summed)))
        print(f"| {name} | {' | '.join(cells)} |")
    correct = [with_interval(wilson(np.sum(scores.argmax(axis=1) == labels), len(labels))) for scores in graphs]
    print(f"| likeliest label right | {' | '.join(correct)} | |\n")


def print_agreement(first, second):
    same = np.sum(first.argmax(axis=1) == second.argmax(axis=1))
    difference = np.abs(first - second)
    print(f"Float and int8 name the same likeliest label on {same} of {len(first)} pictures; their scores differ by "
          f"{difference.mean():.4f} on average and {difference.max():.3f} at most.\n")


def main():
    args = arguments()
    names = [label["id"] for label in json.loads(args.manifest.read_text())["output"]["labels"]]
    labels, float_scores = scores_of(args.scores, "float", names)
    _, scores = scores_of(args.scores, "int8", names)
    together = [text.split("=", 1) for text in args.together]
    rankings = [(name, [at]) for at, name in enumerate(names)]
    rankings += [(name, [names.index(label) for label in members.split(",")]) for name, members in together]
    print_ranking(rankings, labels, [float_scores, scores])
    print_agreement(float_scores, scores)


if __name__ == "__main__":
    main()
