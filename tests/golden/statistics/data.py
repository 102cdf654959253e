"""Draws the synthetic predictions and features, and writes and reads the CSV files of this folder.

A value is used only after it was written and read again, so that it is the decimal number in the file. Nothing drawn here comes
from a patient.
"""

import csv
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
ROWS = 600
LABELS = ["melanoma", "keratosis", "nevus"]
FINDINGS = ["effusion", "nodule", "pneumonia"]
MODELS = ["first", "second"]
DEVICES = ["dermatoscope", "phone", "tablet"]


def softmax(logits):
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def decimals(probabilities, digits):
    """Probabilities as strings with so many digits. None is zero, and each row's sum is 1."""
    unit = 10**digits
    counts = np.maximum(np.round(probabilities * unit).astype(int), 1)
    rows = np.arange(len(counts))
    counts[rows, counts.argmax(axis=1)] += unit - counts.sum(axis=1)
    return [[f"{count / unit:.{digits}f}" for count in row] for row in counts]


def patients(rng, rows):
    """For each row its patient, in order. A patient has 1 to 6 rows; the last one has what is left."""
    found = []
    while len(found) < rows:
        size = rng.choice([1, 2, 3, 4, 5, 6], p=[0.35, 0.25, 0.15, 0.1, 0.1, 0.05])
        patient = found[-1] + 1 if found else 0
        found += [patient] * size
    return np.array(found[:rows])


def predictions(rng):
    """Three labels, two models. Both models are overconfident; the second sees less, and writes two digits: it has ties."""
    group = patients(rng, ROWS)
    count = group.max() + 1
    evidence = rng.normal(0, 1.3, (count, 3))[group] + rng.normal(0, 1.1, (ROWS, 3)) + [-0.6, -1.2, 0.9]
    label = (softmax(evidence).cumsum(axis=1) < rng.random((ROWS, 1))).sum(axis=1).clip(0, 2)
    first = decimals(softmax(1.7 * (evidence + rng.normal(0, 0.5, (ROWS, 3))) + [0.3, 0, 0]), 6)
    second = decimals(softmax(1.5 * (evidence + rng.normal(0, 1.0, (ROWS, 3))) + [0, 0.4, 0]), 2)
    age = rng.integers(18, 90, count)[group]
    sex = rng.choice(["female", "male", ""], count, p=[0.5, 0.46, 0.04])[group]
    device = rng.choice(DEVICES, ROWS, p=[0.5, 0.4, 0.1])
    head = ["file", "group", "label", *(f"{model}_{name}" for model in MODELS for name in LABELS), "age", "sex", "device"]
    body = [[f"{row:04}.jpg", f"p{group[row]:03}", LABELS[label[row]],
             *first[row], *second[row], age[row], sex[row], device[row]]
            for row in range(ROWS)]
    return head, body


def multilabel(rng):
    """Three findings that are there (1), are not (0), or were not looked for (empty), and a probability of each."""
    rows = 120
    group = patients(rng, rows)
    evidence = rng.normal(0, 1.0, (group.max() + 1, 3))[group] + rng.normal(0, 1.0, (rows, 3)) + [-0.8, -1.5, -0.3]
    there = rng.random((rows, 3)) < 1 / (1 + np.exp(-evidence))
    known = rng.random((rows, 3)) > [0.1, 0.35, 0.2]
    probability = 1 / (1 + np.exp(-1.4 * (evidence + rng.normal(0, 0.7, (rows, 3)))))
    head = ["file", "group", *FINDINGS, *(f"probability_{name}" for name in FINDINGS)]
    body = [[f"{row:03}.png", f"p{group[row]:02}",
             *(str(int(there[row, i])) if known[row, i] else "" for i in range(3)),
             *(f"{probability[row, i]:.4f}" for i in range(3))] for row in range(rows)]
    return head, body


def features(rng):
    """Features and logits of three sets: `fit`, `known` (drawn like it) and `novel` (shifted)."""
    head = ["set", "label", *(f"feature_{i}" for i in range(5)), *(f"logit_{name}" for name in LABELS)]
    means = rng.normal(0, 2.0, (3, 5))
    mixing = rng.normal(0, 0.6, (5, 5)) + np.eye(5)
    body = []
    for name, rows, shift in [("fit", 60, 0.0), ("known", 40, 0.0), ("novel", 30, 2.2)]:
        label = rng.integers(0, 3, rows)
        values = means[label] + rng.normal(0, 1, (rows, 5)) @ mixing + shift * rng.choice([-1, 1], (rows, 5))
        logits = values @ means.T * 0.5 - (means**2).sum(axis=1) * 0.25
        body += [[name, LABELS[label[row]] if name != "novel" else "",
                  *(f"{value:.4f}" for value in [*values[row], *logits[row]])] for row in range(rows)]
    return head, body


def write():
    """Writes all files. Each has a generator of its own, so that a change of one leaves the others as they are."""
    for seed, (name, table) in enumerate([("predictions", predictions), ("multilabel", multilabel), ("features", features)]):
        head, body = table(np.random.default_rng([20261129, seed]))
        with open(HERE / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows([head, *body])


def read(name):
    """The columns of a CSV file as arrays of strings."""
    with open(HERE / f"{name}.csv", newline="", encoding="utf-8") as file:
        head, *body = csv.reader(file)
    return {column: np.array(values) for column, values in zip(head, zip(*body))}
