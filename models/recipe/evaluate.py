"""Prints the figures of a model's card, from the scores of the test split and the manifest.

    python3 models/recipe/evaluate.py SCORES.csv MANIFEST.json

It reads the scores that `tests/golden/make_scores.py` wrote, and runs no graph. The intervals are of 95 %. Those of an
AUC are percentiles of 2,000 bootstrap samples of the pictures, and those of a proportion are Wilson's.
"""

import argparse
import csv
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

SAMPLES = 2000  # of the bootstrap
SEED = 20261123
BINS = 15  # of the expected calibration error
Z = 1.959964  # 97.5th percentile of the normal distribution


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scores", type=Path, help="CSV: file, label, graph, one column a label")
    parser.add_argument("manifest", type=Path)
    return parser.parse_args()


def scores_of(table, graph, names):
    """(label indices, scores as pictures × labels) of a graph in the table's order. The scores are without temperature."""
    with open(table, newline="") as lines:
        rows = [row for row in csv.DictReader(lines) if row["graph"] == graph]
    labels = np.array([names.index(row["label"]) for row in rows])
    return labels, np.array([[float(row[name]) for name in names] for row in rows])


def with_temperature(scores, temperature):
    """The probabilities at a temperature, from those at temperature 1."""
    powers = np.maximum(scores, 1e-12) ** (1 / temperature)
    return powers / powers.sum(axis=1, keepdims=True)


def auc_interval(truth, scores):
    """(AUC, lower bound, upper bound)."""
    random = np.random.default_rng(SEED)
    draws = (random.integers(len(truth), size=len(truth)) for _ in range(SAMPLES))
    resampled = [roc_auc_score(truth[draw], scores[draw]) for draw in draws]
    return roc_auc_score(truth, scores), *np.percentile(resampled, [2.5, 97.5])


def wilson(successes, count):
    """(proportion, lower bound, upper bound): Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    share = successes / count
    centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * np.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return share, centre - half, centre + half


def calibration_error(probabilities, labels):
    """Expected calibration error of the top label, with bins of equal width: Guo et al. 2017, arXiv:1706.04599."""
    confidence, correct = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(correct[bins == b].mean() - confidence[bins == b].mean()) * np.mean(bins == b) for b in np.unique(bins)]
    return sum(gaps)


def with_interval(values):
    """(value, lower bound, upper bound) as text."""
    return "{:.3f} ({:.3f}–{:.3f})".format(*values)


def print_ranking(names, labels, graphs):
    print("| AUC, one label against the rest | float | int8 |\n|---|---|---|")
    for index, name in enumerate(names):
        cells = [with_interval(auc_interval(labels == index, scores[:, index])) for scores in graphs]
        print(f"| {name} | {' | '.join(cells)} |")
    correct = [with_interval(wilson(np.sum(scores.argmax(axis=1) == labels), len(labels))) for scores in graphs]
    print(f"| likeliest label right | {' | '.join(correct)} |\n")


def print_agreement(first, second):
    same = np.sum(first.argmax(axis=1) == second.argmax(axis=1))
    difference = np.abs(first - second)
    print(f"Float and int8 name the same likeliest label on {same} of {len(first)} pictures; their scores differ by "
          f"{difference.mean():.4f} on average and {difference.max():.3f} at most.\n")


def print_operating_points(labels, probabilities, outputs):
    print("| label | operating point | sensitivity | specificity |\n|---|---|---|---|")
    for index, output in enumerate(outputs):
        over, truth = probabilities[:, index] >= output["operating_point"], labels == index
        reached = wilson(np.sum(over & truth), np.sum(truth))
        passed = wilson(np.sum(~over & ~truth), np.sum(~truth))
        print(f"| {output['id']} | {output['operating_point']} | {with_interval(reached)} | {with_interval(passed)} |")
    print()


def verdict_sets(probabilities, outputs):
    """The verdicts as pictures × labels: the labels at or over their operating points, or else the top label."""
    points = np.array([output["operating_point"] for output in outputs])
    chosen = probabilities >= points
    likeliest = np.eye(len(points), dtype=bool)[probabilities.argmax(axis=1)]
    return np.where(chosen.any(axis=1, keepdims=True), chosen, likeliest)


def print_verdicts(labels, probabilities, outputs):
    sets = verdict_sets(probabilities, outputs)
    over = probabilities >= np.array([output["operating_point"] for output in outputs])
    shares = [np.mean(sets.sum(axis=1) == size) for size in range(1, len(outputs) + 1)]
    print("Labels in the verdict: " + ", ".join(f"{size}: {share:.1%}" for size, share in enumerate(shares, 1))
          + f". None over its operating point, so the likeliest stands alone: {np.mean(~over.any(axis=1)):.1%}. "
          f"The true label is among them on {np.mean(sets[np.arange(len(labels)), labels]):.1%}.\n")
    print("| true label | pictures | " + " | ".join(f"verdict {o['id']} alone" for o in outputs) + " | several |")
    print("|---|---" + "|---" * (len(outputs) + 1) + "|")
    for index, output in enumerate(outputs):
        own = sets[labels == index]
        alone = [np.sum(own[:, other] & (own.sum(axis=1) == 1)) for other in range(len(outputs))]
        print(f"| {output['id']} | {len(own)} | {' | '.join(map(str, alone))} | {np.sum(own.sum(axis=1) > 1)} |")
    print()


def print_triage(labels, probabilities, outputs):
    sets = verdict_sets(probabilities, outputs)
    order = ["no_sign", "refer", "urgent"]
    level = np.array([order.index(output["triage"]) for output in outputs])
    triage = np.where(sets, level, 0).max(axis=1)
    triage = np.where(sets.sum(axis=1) > 1, np.maximum(triage, 1), triage)
    print("| true label | " + " | ".join(order) + " |\n|---" + "|---" * len(order) + "|")
    for index, output in enumerate(outputs):
        counts = [np.sum(triage[labels == index] == step) for step in range(len(order))]
        print(f"| {output['id']} | {' | '.join(map(str, counts))} |")


def main():
    args = arguments()
    manifest = json.loads(args.manifest.read_text())
    outputs, temperature = manifest["output"]["labels"], manifest["calibration"]["temperature"]
    names = [output["id"] for output in outputs]
    labels, float_scores = scores_of(args.scores, "float", names)
    _, scores = scores_of(args.scores, "int8", names)
    probabilities = with_temperature(scores, temperature)
    print_ranking(names, labels, [float_scores, scores])
    print_agreement(float_scores, scores)
    before, after = calibration_error(scores, labels), calibration_error(probabilities, labels)
    print(f"Expected calibration error of the int8 graph: {before:.3f} before temperature, {after:.3f} after.\n")
    print_operating_points(labels, probabilities, outputs)
    print_verdicts(labels, probabilities, outputs)
    print_triage(labels, probabilities, outputs)


if __name__ == "__main__":
    main()
