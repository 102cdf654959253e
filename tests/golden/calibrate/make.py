"""Writes expected.json. README.md says by which rules."""

import csv
import json
from fractions import Fraction
from pathlib import Path

import numpy as np
from scipy.optimize import minimize, minimize_scalar, root
from scipy.special import expit, log_softmax, softmax

HERE = Path(__file__).parent
STATISTICS = HERE.parent / "statistics"
LABELS = ["melanoma", "keratosis", "nevus"]
FINDINGS = ["effusion", "nodule", "pneumonia"]
FOLDS = 5
NETWORKS_DEVIATION = 0.3


def rows(name):
    with open(STATISTICS / name, newline="") as file:
        return list(csv.DictReader(file))


class Exclusive:
    """Labels that exclude each other."""

    def __init__(self, scale=(1, 1, 1), bias=(0, 0, 0)):
        table = rows("predictions.csv")
        p = np.array([[float(row[f"first_{label}"]) for label in LABELS] for row in table])
        self.z = np.log(np.clip(p, 1e-12, 1 - 1e-12)) * scale + bias
        self.y = np.array([LABELS.index(row["label"]) for row in table])
        self.groups = [row["group"] for row in table]
        self.first = list(self.y)

    def losses(self, z, at):
        return -log_softmax(z, axis=1)[np.arange(len(at)), self.y[at]]

    def temperature(self, at):
        found = minimize_scalar(lambda t: self.losses(self.z[at] / np.exp(t), at).mean(), bounds=(-3, 3), method="bounded",
                                options={"xatol": 1e-12})
        return float(np.exp(found.x))

    def labels(self, at, mean=np.repeat([1.0, 0.0], len(LABELS)), deviation=1.0):
        n = len(LABELS)
        one_hot = np.eye(n)[self.y[at]]

        def value(x):
            prior = (((x - mean) / deviation) ** 2).sum() / 2
            return self.losses(self.z[at] * x[:n] + x[n:], at).sum() + prior

        def gradient(x):
            slopes = softmax(self.z[at] * x[:n] + x[n:], axis=1) - one_hot
            return np.r_[(slopes * self.z[at]).sum(axis=0), slopes.sum(axis=0)] + (x - mean) / deviation**2

        return polished(value, gradient, mean)


class Networks(Exclusive):
    """Two networks: patients whose names end in an odd digit are scored by the second, whose logits are warped."""

    def __init__(self, scale, bias):
        super().__init__()
        self.network = np.array([int(group[-1]) % 2 for group in self.groups])
        self.z = np.where(self.network[:, None] == 1, self.z * scale + bias, self.z)

    def networks(self, at):
        all_networks = self.labels(at)
        return [self.labels(at[self.network[at] == k], all_networks, NETWORKS_DEVIATION) for k in (0, 1)]


class Findings(Exclusive):
    """Labels that don't exclude each other; some are not known."""

    def __init__(self):
        table = rows("multilabel.csv")
        p = np.array([[float(row[f"probability_{f}"]) for f in FINDINGS] for row in table])
        p = np.clip(p, 1e-12, 1 - 1e-12)
        self.z = np.log(p / (1 - p))
        self.y = np.array([[float(row[f]) if row[f] else np.nan for f in FINDINGS] for row in table])
        known = ~np.isnan(self.y).all(axis=1)
        self.z, self.y = self.z[known], self.y[known]
        self.groups = [row["group"] for row, is_known in zip(table, known) if is_known]
        self.first = [next((i for i, y in enumerate(row) if y == 1), -1) for row in self.y]

    def losses(self, z, at):
        y = self.y[at]
        each = np.logaddexp(0, np.where(y == 1, -z, z))
        return np.where(np.isnan(y), 0, each).sum(axis=1)

    def labels(self, at):
        found = []
        for f in range(len(FINDINGS)):
            known = [i for i in at if not np.isnan(self.y[i, f])]
            z, y = self.z[known, f], self.y[known, f]
            start = np.array([1.0, 0.0])

            def value(x):
                return np.logaddexp(0, np.where(y == 1, -1, 1) * (z * x[0] + x[1])).sum() + ((x - start) ** 2).sum() / 2

            def gradient(x):
                slopes = expit(z * x[0] + x[1]) - y
                return np.array([(slopes * z).sum(), slopes.sum()]) + x - start

            found.append(polished(value, gradient, start))
        return np.array(found).T.reshape(-1)


def polished(value, gradient, start):
    near = minimize(value, start, jac=gradient, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-9, "maxiter": 10_000})
    return root(gradient, near.x, tol=1e-13).x


def folds(data):
    first = {}
    for group, label in zip(data.groups, data.first):
        first[group] = min(first.get(group, label), label)
    order = sorted(first, key=lambda group: (first[group], group))
    return {group: i % FOLDS for i, group in enumerate(order)}


def apply(way, found, z):
    n = z.shape[1]
    return z / found if way == "temperature" else z * found[:n] + found[n:]


def held_out(data, way):
    part = folds(data)
    losses = np.zeros(len(data.groups))
    for fold in range(FOLDS):
        at = np.array([i for i, group in enumerate(data.groups) if part[group] != fold])
        out = np.array([i for i, group in enumerate(data.groups) if part[group] == fold])
        found = None if way is None else getattr(data, way)(at)
        for k in (0, 1) if way == "networks" else (None,):
            own = out if k is None else out[data.network[out] == k]
            z = data.z[own] if way is None else apply(way, found if k is None else found[k], data.z[own])
            losses[own] = data.losses(z, own)
    return losses


def change(losses, before, groups):
    d, mean = losses - before, (losses - before).mean()
    keys = sorted(set(groups))
    sums = [sum(d[i] - mean for i, g in enumerate(groups) if g == key) for key in keys]
    return [mean, float(np.sqrt(len(keys) / (len(keys) - 1) * np.square(sums).sum()) / len(d))]


def scaling(data):
    all_rows, before = np.arange(len(data.groups)), held_out(data, None)
    found = {"before": before.mean(), "temperature": data.temperature(all_rows), "labels": list(data.labels(all_rows))}
    ways = ["temperature", "labels"]
    if isinstance(data, Networks):
        ways.append("networks")
        found["networks"] = [list(one) for one in data.networks(all_rows)]
    for way in ways:
        losses = held_out(data, way)
        found[f"{way}_nll"] = losses.mean()
        found[f"{way}_change"] = change(losses, before, data.groups)
    return found


def lowest(groups, values):
    found = {}
    for group, value in zip(groups, values):
        found[group] = min(found.get(group, value), value)
    return found


def order_statistic(values, miss):
    rank = int((len(values) + 1) * Fraction(miss))
    return (sorted(values)[rank - 1], rank) if rank else (0.0, 0)


def thresholds(data, probabilities):
    """The classes lesion and nevus of probabilities by label."""
    lesion, nevus = probabilities[:, :2].sum(axis=1), probabilities[:, 2]
    is_lesion = data.y < 2
    of = {
        "lesion": lowest(np.array(data.groups)[is_lesion], lesion[is_lesion]),
        "nevus": lowest(np.array(data.groups)[~is_lesion], nevus[~is_lesion]),
    }
    misses = {"lesion": "1/20", "nevus": "1/5"}
    found = {name: [*order_statistic(values.values(), misses[name]), len(values)] for name, values in of.items()}
    ended = set()
    for i in np.flatnonzero(is_lesion):
        group = data.groups[i]
        at = {
            name: order_statistic([v for g, v in values.items() if g != group], misses[name])[0]
            for name, values in of.items()
        }
        if lesion[i] < at["lesion"] and nevus[i] >= at["nevus"]:
            ended.add(group)
    found["no_sign"] = [len(ended), len(of["lesion"])]
    return found


def written(value):
    if isinstance(value, dict):
        return {key: written(v) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(v) for v in value]
    return float(f"{value:.12g}") if isinstance(value, float) else value


def main():
    plain, warped, findings = Exclusive(), Exclusive((1.5, 0.7, 1), (1, -0.5, 0)), Findings()
    networks = Networks((3, 2, 3), (3, -2, 0))
    sets = {"plain": plain, "warped": warped, "findings": findings, "networks": networks}
    expected = {name: scaling(data) for name, data in sets.items()}
    temperature = float(np.float32(expected["plain"]["temperature"]))
    expected["plain"]["thresholds"] = thresholds(plain, softmax(plain.z / temperature, axis=1))
    (HERE / "expected.json").write_text(json.dumps(written(expected), indent=1) + "\n")


if __name__ == "__main__":
    main()
