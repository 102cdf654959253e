"""Prints of how many pictures of a split a model's float graph gives another triage than its int8 graph.

    python3 models/recipe/int8_triage.py DATA FLOAT.onnx INT8.onnx MANIFEST.json SPLIT

The recipe of the model must be on PYTHONPATH, for its `data.py`. Both graphs get the calibration of the manifest; quality and
novelty refuse nothing. What the pictures show is not read. The interval is Wilson's, of 95 %.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np

from data import pictures
from evaluate import wilson, with_interval
from predict import logits, softmax

LEVELS = ["no_sign", "unassessed", "refer", "urgent"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("float", type=Path)
    parser.add_argument("int8", type=Path)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("split")
    return parser.parse_args()


def classes_of(output):
    """(name, level, places of its labels) of each group, and of each label that is in none."""
    names = [label["id"] for label in output["labels"]]
    groups = [(g["id"], g["triage"], [names.index(label) for label in g["labels"]]) for g in output.get("groups", [])]
    grouped = {place for _, _, places in groups for place in places}
    return groups + [(label["id"], label["triage"], [at]) for at, label in enumerate(output["labels"]) if at not in grouped]


def triage(values, manifest):
    """The level of each row of logits, by the rule of docs/rule.md."""
    calibration = manifest["calibration"]
    scale, bias = calibration.get("scale", 1 / calibration.get("temperature", 1)), calibration.get("bias", 0)
    probabilities = softmax(values * np.array(scale) + np.array(bias))
    classes = classes_of(manifest["output"])
    of_class = np.stack([probabilities[:, places].sum(axis=1) for _, _, places in classes], axis=1)
    urgent = of_class[:, [level == "urgent" for _, level, _ in classes]].sum(axis=1) >= calibration.get("action", np.inf)
    over = of_class >= [calibration["thresholds"][name]["at"] for name, _, _ in classes]
    return ["urgent" if acted else level(row, classes, calibration) for acted, row in zip(urgent, over, strict=True)]


def level(over, classes, calibration):
    found = [LEVELS.index(level) for (_, level, _), is_over in zip(classes, over, strict=True) if is_over]
    highest = LEVELS[max(found)] if found else "refer"
    return "refer" if highest == "no_sign" and not calibration["no_sign"] else highest


def main():
    args = arguments()
    manifest = json.loads(args.manifest.read_text())
    paths = [args.data / row.file for row in pictures(args.data, args.split)]
    first, second = (triage(logits(graph, paths), manifest) for graph in (args.float, args.int8))
    moved = Counter(pair for pair in zip(first, second, strict=True) if pair[0] != pair[1])
    count = sum(moved.values())
    print(f"{count} of {len(paths)}: {with_interval(wilson(count, len(paths)))}")
    for (one, other), times in moved.items():
        print(f"{times} from {one} in float to {other} in int8")


if __name__ == "__main__":
    main()
