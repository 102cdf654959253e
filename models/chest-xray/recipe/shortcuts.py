"""Prints how well the model tells films whose lungs cannot be seen: what it does there, it does by something else.

    python3 models/chest-xray/recipe/shortcuts.py DATASET MODEL.onnx [--fold N] [--show SHEET.png]

The recipe of the model and `models/recipe` must be on PYTHONPATH. The held-out films of a fold are shown in three ways: as they
are; with the lungs painted out, by a grey ellipse of 84 % of the width and 80 % of the height; and the border alone, a tenth of
each side. The grey is the same in all, so that it tells nothing. For each the area under the ROC curve of pneumonia against normal is printed, with a
bootstrap's interval of 95 % by patients.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from sklearn.metrics import roc_auc_score

from data import FOLDS, TRAINING_SPLITS, pictures
from dataset import SIDE, fold, labels_of, tensor_of
from predict import session, softmax

SAMPLES, SEED = 1000, 20261130
BORDER, GREY = 0.1, 128


def as_it_is(film):
    return film


def without_lungs(film):
    """The film with an ellipse over the chest."""
    film = film.copy()
    width, height = film.size
    box = (0.08 * width, 0.1 * height, 0.92 * width, 0.9 * height)
    ImageDraw.Draw(film).ellipse(box, fill=GREY)
    return film


def border_alone(film):
    """The film with a rectangle over all but its border."""
    film = film.copy()
    width, height = film.size
    box = (BORDER * width, BORDER * height, (1 - BORDER) * width, (1 - BORDER) * height)
    ImageDraw.Draw(film).rectangle(box, fill=GREY)
    return film


WAYS = {"as it is": as_it_is, "without the lungs": without_lungs, "the border alone": border_alone}


def area_by_patients(truth, scores, patients):
    """(area, lower bound, upper bound), where patients are drawn."""
    random = np.random.default_rng(SEED)
    names, places = np.unique(patients, return_inverse=True)
    of = [np.flatnonzero(places == at) for at in range(len(names))]
    areas = []
    for _ in range(SAMPLES):
        drawn = np.concatenate([of[at] for at in random.integers(len(names), size=len(names))])
        areas.append(roc_auc_score(truth[drawn], scores[drawn]))
    return roc_auc_score(truth, scores), *np.percentile(areas, [2.5, 97.5])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("model", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--show", type=Path, help="a sheet of four films in each way")
    args = parser.parse_args()
    _, held_out = fold(pictures(args.dataset, *TRAINING_SPLITS), args.fold, FOLDS)
    films = [Image.open(args.dataset / row.file).convert("L") for row in held_out]
    run = session(args.model)
    truth, patients = labels_of(held_out) > 0, np.array([row.group for row in held_out])
    for name, way in WAYS.items():
        logits = np.concatenate([run.run(["logits"], {"input": tensor_of(way(film))})[0] for film in films])
        area = area_by_patients(truth, 1 - softmax(logits)[:, 0], patients)
        print("{}: {:.3f} ({:.3f}–{:.3f}), {} films".format(name, *area, len(films)))
    if args.show:
        sheet = Image.new("L", (4 * SIDE, len(WAYS) * SIDE))
        for across, film in enumerate(films[:: len(films) // 4][:4]):
            for down, way in enumerate(WAYS.values()):
                sheet.paste(way(film).resize((SIDE, SIDE)), (across * SIDE, down * SIDE))
        sheet.save(args.show)


if __name__ == "__main__":
    main()
