"""Compares ways to tell pictures unlike what a model was made for from sound ones, on features cached by `features.py`.

    python benches/novelty/explore.py PART TASK --cache DIR --data DIR

TASK is `skin` or `chest`. DIR/TASK holds the cached sets of the shipped int8 graph, DIR/TASK_float those of the float
graph, DIR/TASK0, DIR/TASK1 and so on those of the fold networks. PART is one of

- `taps`: one tensor at a time, a Gaussian on its pooled values;
- `methods`: the methods, on the tensors that the note recommends;
- `bars`: the recommended method, source by source, with intervals, and with the quality gate;
- `tables`: what f16 and int8 tables change, and how large they are;
- `twins`: the int8 graph against the float graph of the same network;
- `shift`: sound pictures of a part of the data set that the fit has not seen;
- `folds`: sound pictures held out from the network too (skin), pooled over the fold networks.

Of data sets with a test split only train is read (and val of ISIC 2017). Tables go to standard output, in Markdown.
Nothing is random but the bootstrap, which is seeded. `docs/notes/2026-11-novelty.md` has the figures.
"""

import argparse
import dataclasses
import hashlib
import pathlib
import re
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "models" / "recipe"))
import dataset  # noqa: E402
from features import EFFICIENTNET, MOBILENET  # noqa: E402

HARD, SOFT = 0.99, 0.95  # quantiles of sound held-out pictures
RIDGE = 0.2  # of the direction, on dimensions of variance 1
FOREIGN = {"object": "objects", "plant": "plants", "screen_or_diagram": "screens", "fetal_head_ultrasound": "fetal heads"}
PAIRS = (("objects", "plants"), ("screens", "fetal heads"))
VARIANTS = ("256q75", "200q75")
LABELS = {"skin": ["melanoma", "nevus", "seborrheic_keratosis"], "chest": ["normal", "bacterial_pneumonia", "viral_pneumonia"]}
SOUND = {"skin": "isic", "chest": "cxr"}
NEAR = {"skin": "pad_ufes", "chest": "adult_cxr"}
OTHERS = {"skin": ["busi", "bus_bra", "cxr_some", "adult_cxr", "blank", "noise"],
          "chest": ["busi", "bus_bra", "isic_some", "pad_ufes", "blank", "noise"]}
CHANGED = ["rot90", "rot180", "rot270", "negative"]
TAPS = {"skin": MOBILENET, "chest": EFFICIENTNET}
# Limits of the quality gate, after docs/notes/2026-11-quality.md: focus, dark, bright, contrast; color comes apart.
QUALITY = {"skin": (0.26, 0.75, 0.45, 0.04), "chest": (0.31, 0.65, 0.10, 0.15)}


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What is fitted. The two recommended ones are in `CHOSEN`."""

    taps: tuple  # tensors whose pooled values are joined
    root: bool = True  # sign(x)·√|x| of each value first
    dims: int = 128  # principal dimensions kept
    copies: tuple = ()  # variants of the sound training pictures that the statistics cover too
    method: str = "gauss"
    neighbour: int = 3  # which nearest one of the stored sample counts
    stored: int = 1000  # sound training pictures in the stored sample
    weight: float = 0.0  # of the direction from sound to foreign pictures
    energy: float = 0.0  # of the energy score


CHOSEN = {"skin": Recipe(("hardtanh_7", "add_9"), dims=48, method="knn"),
          "chest": Recipe(("add_5",), root=False, dims=112, copies=("copy1",))}


# Sets.

def select(pictures, mask):
    return {name: values[mask] for name, values in pictures.items()}


def joined(parts):
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


class Cache:
    """The cached sets of one graph."""

    def __init__(self, folder, task, data):
        self.folder, self.task, self.data = folder, task, data

    def has(self, name):
        return (self.folder / f"{name}.npz").exists()

    def load(self, name):
        return dict(np.load(self.folder / f"{name}.npz").items())

    def held_out_files(self, index=None):
        """Skin without fold networks: a third of the groups, which the network did learn from."""
        if self.task == "skin" and index is None:
            groups = self.load("isic")
            third = [int(hashlib.sha256(g.encode()).hexdigest()[:8], 16) % 3 == 0 for g in groups["group"]]
            return groups["picture"][np.array(third)]
        splits, name, folds = (("train", "val"), "isic2017", 3) if self.task == "skin" else (("train",), "kermany_cxr", 5)
        rows = dataset.pictures(LABELS[self.task], self.data / name, *splits)
        return [row.file for row in dataset.fold(rows, index or 0, folds)[1]]

    def sound(self, index=None, variant=""):
        """(training, held-out) sound pictures."""
        pictures = self.load(SOUND[self.task] + (f"@{variant}" if variant and self.task == "skin" else ""))
        out = np.isin(pictures["picture"], self.held_out_files(index))
        if variant and self.task == "chest":
            return select(pictures, ~out), self.load(f"cxr_held@{variant}")
        return select(pictures, ~out), select(pictures, out)

    def copies(self, names, pictures):
        """The named variants of these sound pictures."""
        found = [self.load(f"{SOUND[self.task]}@{name}") for name in names]
        return [select(copy, np.isin(copy["picture"], pictures["picture"])) for copy in found]

    def sources(self, variant=""):
        """Foreign pictures by the name of their source."""
        suffix = f"@{variant}" if variant else ""
        found = {}
        if self.has("foreign" + suffix):
            foreign = self.load("foreign" + suffix)
            found = {name: select(foreign, foreign["label"] == label) for label, name in FOREIGN.items()}
        names = OTHERS[self.task] + [NEAR[self.task]] + (CHANGED if self.task == "chest" else [])
        return found | {name: self.load(name + suffix) for name in names if self.has(name + suffix)}


# Methods.

def energy(pictures):
    """Minus the logarithm of the sum of exp(logit): high where no label has a large logit."""
    logits = pictures["logits"].astype(np.float64)
    top = logits.max(1)
    return -(top + np.log(np.exp(logits - top[:, None]).sum(1)))


def values(recipe, pictures):
    x = np.concatenate([pictures[f"tap/{name}"].astype(np.float64) for name in recipe.taps], 1)
    return np.sign(x) * np.sqrt(np.abs(x)) if recipe.root else x


def nearest(points, stored, k):
    squares = (points ** 2).sum(1)[:, None] + (stored ** 2).sum(1) - 2 * points @ stored.T
    return np.sqrt(np.maximum(np.partition(squares, k - 1, axis=1)[:, k - 1], 0))


class Fit:
    """A recipe's tables: `mean` and `scale` of the values, `axes` to `dims` dimensions of variance 1, and the method's."""

    def __init__(self, recipe, training, copies=(), foreign=None):
        self.recipe = recipe
        x = np.concatenate([values(recipe, part) for part in (training, *copies)])
        self.mean, spread = x.mean(0), x.std(0)
        self.scale = spread + 0.05 * spread.mean()
        z = (x - self.mean) / self.scale
        variance, vectors = np.linalg.eigh(z.T @ z / len(z))
        dims = min(recipe.dims, int((variance > 1e-6 * variance[-1]).sum()))  # a channel may be constant
        keep = slice(None, -dims - 1, -1)
        self.axes = vectors[:, keep] / np.sqrt(variance[keep])
        self.dims = self.axes.shape[1]
        points, labels = self.points(training), training["label"]
        means = np.stack([points[labels == label].mean(0) for label in np.unique(labels)])
        if recipe.method in ("class", "relative"):
            rest = points - means[np.searchsorted(np.unique(labels), labels)]
            self.whiten = np.linalg.cholesky(np.linalg.inv(np.cov(rest.T) + 1e-3 * np.eye(self.dims)))
            self.means = means @ self.whiten
        if recipe.method == "knn":
            self.stored = points[:recipe.stored]  # the order of a set is by a hash of the file's name
        self.direction = None
        if foreign is not None and recipe.weight:
            self.fit_direction(points, self.points(foreign))
        self.energies = energy(training).mean(), energy(training).std()

    def fit_direction(self, sound, foreign):
        """Least squares to −1 on sound and +1 on foreign pictures, both sides weighing the same."""
        p = np.c_[np.concatenate([sound, foreign]), np.ones(len(sound) + len(foreign))]
        weights = np.r_[np.full(len(sound), 0.5 / len(sound)), np.full(len(foreign), 0.5 / len(foreign))]
        target = np.r_[-np.ones(len(sound)), np.ones(len(foreign))]
        ridge = np.diag(np.r_[np.full(self.dims, RIDGE), 0])
        self.direction = np.linalg.solve(p.T @ (p * weights[:, None]) + ridge, p.T @ (weights * target))
        self.floor = np.quantile(p[:len(sound)] @ self.direction, 0.05)

    def points(self, pictures):
        return ((values(self.recipe, pictures) - self.mean) / self.scale) @ self.axes

    def foreignness(self, points):
        """Above the 5 % quantile of sound pictures, so that no picture is taken for sound by being the opposite."""
        return np.maximum(points @ self.direction[:-1] + self.direction[-1] - self.floor, 0)

    def __call__(self, pictures):
        method = self.recipe.method
        if method == "energy":
            return energy(pictures)
        if method == "max logit":
            return -pictures["logits"].max(1)
        points = self.points(pictures)
        if method == "knn":
            score = nearest(points, self.stored, self.recipe.neighbour) / np.sqrt(self.dims)
        elif method in ("class", "relative"):
            score = (((points @ self.whiten)[:, None] - self.means) ** 2).sum(2).min(1)
            score = score - (points ** 2).sum(1) if method == "relative" else np.sqrt(score)
        elif method == "residual":
            z = (values(self.recipe, pictures) - self.mean) / self.scale
            axes = self.axes / np.linalg.norm(self.axes, axis=0)
            score = np.sqrt(np.maximum((z ** 2).sum(1) - ((z @ axes) ** 2).sum(1), 0))
        elif method == "direction":
            score = self.foreignness(points)
        else:
            score = np.sqrt((points ** 2).sum(1) / self.dims)
        if self.direction is not None and method != "direction":
            score = score + self.recipe.weight * self.foreignness(points)
        if self.recipe.energy:
            mean, spread = self.energies
            score = score + self.recipe.energy * (energy(pictures) - mean) / spread
        return score

    def size(self):
        """Bytes of the tables: two f32 a value, the matrix in f16, a stored sample in int8, class means in f16."""
        n, d = len(self.mean), self.dims
        extra = {"class": 2 * (3 * d + d * d), "relative": 2 * (3 * d + d * d), "knn": self.recipe.stored * d}
        return 8 * n + 2 * n * d + extra.get(self.recipe.method, 0) + (4 * d if self.direction is not None else 0)


def fitted(cache, recipe, training, pair=None):
    foreign = None
    if recipe.weight or recipe.method == "direction":
        sources = cache.sources()
        foreign = joined([sources[name] for name in pair])
    return Fit(recipe, training, cache.copies(recipe.copies, training), foreign)


# Figures.

def auroc(low, high):
    """The area under the ROC curve by ranks; ties count half."""
    _, inverse, counts = np.unique(np.concatenate([low, high]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    return (ranks[len(low):].sum() - len(high) * (len(high) + 1) / 2) / (len(low) * len(high))


def interval(count, n):
    """Wilson's 95 % interval of a share, in percent."""
    z, p = 1.96, count / n
    centre, half = p + z * z / (2 * n), z * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return f"{100 * max((centre - half) / (1 + z * z / n), 0):.1f}–{100 * (centre + half) / (1 + z * z / n):.1f}"


def auroc_interval(low, high, groups, repeats=500):
    """The 95 % interval by a bootstrap over the groups of the foreign side and the pictures of the sound side."""
    rng = np.random.default_rng(20261129)
    _, inverse = np.unique(groups, return_inverse=True)
    members = [np.flatnonzero(inverse == k) for k in range(inverse.max() + 1)]
    found = []
    for _ in range(repeats):
        drawn = np.concatenate([members[k] for k in rng.integers(len(members), size=len(members))])
        found.append(auroc(low[rng.integers(len(low), size=len(low))], high[drawn]))
    return "{:.3f}–{:.3f}".format(*np.quantile(found, [0.025, 0.975]))


def refused(task, pictures, color=True):
    """What the quality gate refuses."""
    focus, dark, bright, contrast, chroma24, chroma8 = pictures["quality"].T
    limits = QUALITY[task]
    bad = (focus < limits[0]) | (dark > limits[1]) | (bright > limits[2]) | (contrast < limits[3])
    if color:
        bad |= chroma24 < 0.005 if task == "skin" else chroma8 > 0.05
    return bad


def far(task):
    return [*FOREIGN.values(), *OTHERS[task]]


def summary(cache, recipe):
    """One row a recipe: the worst far source by the shares under `hard`, the near AUROC and its fall, and the task's own."""
    task, rows = cache.task, []
    training, held = cache.sound()
    for pair in PAIRS if recipe.weight or recipe.method == "direction" else PAIRS[:1]:
        fit = fitted(cache, recipe, training, pair)
        sound, sources = fit(held), cache.sources()
        hard, soft = np.quantile(sound, HARD), np.quantile(sound, SOFT)
        under = {name: np.mean(fit(sources[name]) <= hard) for name in far(task) if name not in (pair if recipe.weight else ())}
        worst = max(under, key=under.get)
        near = auroc(sound, fit(sources[NEAR[task]]))
        falls = []
        for variant in VARIANTS:
            again = fit(cache.sound(variant=variant)[1])
            falls += [f"{near - auroc(again, fit(cache.sources(variant)[NEAR[task]])):.3f}", f"{100 * np.mean(again > soft):.0f}"]
        if task == "skin":
            other = fitted(cache, recipe, select(training, training["label"] != "seborrheic_keratosis"), pair)
            scores, keratosis = other(held), held["label"] == "seborrheic_keratosis"
            own = f"{auroc(scores[~keratosis], scores[keratosis]):.2f}"
        else:
            own = " ".join(f"{100 * np.mean(fit(sources[name]) > soft):.0f}" for name in CHANGED)
        rows.append(f"{100 * under[worst]:.0f} ({worst}) | {near:.3f} | {falls[0]} / {falls[2]} | {falls[1]} / {falls[3]} | {own}"
                    f" | {fit.size() / 1000:.0f}")
    return rows


HEADER = ("| | worst far source under `hard`, % | near, AUROC | its fall at 256q75 / 200q75 | sound over `soft` there, % | {} | kB |\n"
          "|---|---|---|---|---|---|---|")


def header(task):
    print(HEADER.format("keratosis, AUROC" if task == "skin" else "turned 90, 180, 270, negative over `soft`, %"))


def taps(cache):
    header(cache.task)
    for name in TAPS[cache.task]:
        for root in (False, True):
            row = summary(cache, Recipe((name,), root=root))[0]
            print(f"| {name}{', root' if root else ''} | {row} |", flush=True)


def methods(cache):
    best = CHOSEN[cache.task]
    gauss = dataclasses.replace(best, method="gauss", dims=128)
    knn = dataclasses.replace(best, method="knn", dims=48)
    late = dataclasses.replace(gauss, taps=("view",))
    skin = cache.task == "skin"
    pairs = [("hardtanh_21",), ("add_5", "add_9"), ("hardtanh_21", "add_9"), ("hardtanh_13", "view")] if skin else [
        ("add_3",), ("add_8",), ("add_3", "add_5"), ("mean_9",), ("add_5", "view")]
    change = dataclasses.replace
    rows = {
        "energy": change(gauss, method="energy"), "largest logit": change(gauss, method="max logit"),
        "view: Gaussian": late, "view: class means": change(late, method="class"),
        "view: residual": change(late, method="residual"), "view: 3rd of 1,000, 48 dimensions": change(knn, taps=("view",)),
        "Gaussian": gauss, "Gaussian, 32 dimensions": change(gauss, dims=32), "Gaussian, 64 dimensions": change(gauss, dims=64),
        "class means": change(gauss, method="class"), "relative": change(gauss, method="relative"),
        "residual of 32": change(gauss, method="residual", dims=32), "Gaussian with energy × 0.1": change(gauss, energy=0.1),
        "3rd of 1,000": knn, "1st of 1,000": change(knn, neighbour=1), "10th of 1,000": change(knn, neighbour=10),
        "2nd of 500": change(knn, neighbour=2, stored=500), "3rd of 1,000, 32 dimensions": change(knn, dims=32),
        "3rd of 1,000, 64 dimensions": change(knn, dims=64), "direction alone": change(gauss, method="direction", weight=1),
        **{f"Gaussian with direction × {w}": change(gauss, weight=w) for w in (0.25, 0.5, 1)},
        **{f"3rd of 1,000 with direction × {w}": change(knn, weight=w) for w in (0.25, 0.5)},
        "recommended": best, f"root {'without' if best.root else 'with'}": change(best, root=not best.root),
        "copies: none": change(best, copies=()), "copies: copy1": change(best, copies=("copy1",)),
        "copies: copy1, tone1": change(best, copies=("copy1", "tone1")),
        "copies: copy1, sharp1": change(best, copies=("copy1", "sharp1")),
        **{f"{' + '.join(names)}": change(best, taps=names) for names in pairs},
    }
    header(cache.task)
    for name, recipe in rows.items():
        for pair, row in zip(PAIRS, summary(cache, recipe)):
            print(f"| {name}{f', fitted on {pair[0]} and {pair[1]}' if recipe.weight else ''} | {row} |", flush=True)


def grey_kinds(pictures, grey):
    """Of blank pictures and noise, the grey or the coloured ones; of a data set, all."""
    named = np.char.find(pictures["label"].astype(str), "grey") >= 0
    return select(pictures, named == grey) if named.any() else pictures


def bars(cache):
    task, recipe = cache.task, CHOSEN[cache.task]
    training, held = cache.sound()
    sources = cache.sources()
    print("| source | n | fitted on | AUROC | under `hard`, % | under `soft`, % | not rejected, % (interval) | without color, % | "
          + " | ".join(f"{v}: AUROC, under `hard`, %" for v in VARIANTS) + " |\n|" + "---|" * 10)
    for pair in PAIRS if recipe.weight else PAIRS[:1]:
        fit = fitted(cache, recipe, training, pair)
        sound = fit(held)
        hard, soft = np.quantile(sound, HARD), np.quantile(sound, SOFT)
        again = {v: (fit(cache.sound(variant=v)[1]), cache.sources(v)) for v in VARIANTS}
        for name, pictures in {"sound": held, **sources}.items():
            if recipe.weight and name in pair:
                continue
            for kind in ("grey", "colour") if name in ("blank", "noise") else ("",):
                part = grey_kinds(pictures, kind == "grey") if kind else pictures
                scores = fit(part)
                passed = (scores <= hard) & ~refused(task, part)
                plain = (scores <= hard) & ~refused(task, part, color=False)
                encoded = []
                for low, others in again.values():
                    there = low if name == "sound" else fit(others[name]) if name in others else None
                    encoded.append("–" if there is None else f"{auroc(low, there):.3f}, {100 * np.mean(there <= hard):.1f}")
                print(f"| {name} {kind} | {len(scores)} | {', '.join(pair) if recipe.weight else '–'} | {auroc(sound, scores):.3f} | "
                      f"{100 * np.mean(scores <= hard):.1f} | {100 * np.mean(scores <= soft):.1f} | {100 * passed.mean():.1f} "
                      f"({interval(passed.sum(), len(passed))}) | {100 * plain.mean():.1f} | {' | '.join(encoded)} |")
        near = sources[NEAR[task]]
        print(f"\nnear, AUROC interval: {auroc_interval(sound, fit(near), near['group'])}; levels: soft {soft:.3f}, hard {hard:.3f}; "
              f"training 99 %: {np.quantile(fit(training), HARD):.3f}")
        bad = (sound > hard) | refused(task, held)
        for label in LABELS[task]:
            mask = held["label"] == label
            print(f"- {label}: over hard or refused {100 * bad[mask].mean():.1f} % ({interval(bad[mask].sum(), mask.sum())}) of {mask.sum()}, "
                  f"over soft {100 * np.mean(sound[mask] > soft):.1f} %")
        if task == "skin":
            other = fitted(cache, recipe, select(training, training["label"] != "seborrheic_keratosis"), pair)
            scores, keratosis = other(held), held["label"] == "seborrheic_keratosis"
            print(f"- fitted without seborrheic keratosis: {auroc(scores[~keratosis], scores[keratosis]):.3f} "
                  f"({auroc_interval(scores[~keratosis], scores[keratosis], held['group'][keratosis])})\n")


def in_int8(matrix):
    """Rounded to int8 with one scale a column."""
    steps = np.abs(matrix).max(0) / 127
    return np.rint(matrix / steps) * steps


def tables(cache):
    task, recipe = cache.task, CHOSEN[cache.task]
    training, held = cache.sound()
    sources = cache.sources()
    fit = fitted(cache, recipe, training, PAIRS[0])
    exact = {name: fit(part) for name, part in {"sound": held, **sources}.items()}
    print(f"axes: {fit.axes.shape}, largest {np.abs(fit.axes).max():.3g}; size with f16 axes {fit.size()} bytes")
    axes, stored = fit.axes, getattr(fit, "stored", None)
    for kind in ("f16", "int8"):
        fit.axes = axes.astype(np.float16).astype(float) if kind == "f16" else in_int8(axes)
        if stored is not None:
            fit.stored = in_int8(stored)
        scores = {name: fit(part) for name, part in {"sound": held, **sources}.items()}
        change = np.concatenate([np.abs(scores[name] / exact[name] - 1) for name in scores])
        fall = max(abs(auroc(exact["sound"], exact[n]) - auroc(scores["sound"], scores[n])) for n in sources)
        hard = np.quantile(exact["sound"], HARD)
        flips = np.mean((scores["sound"] > hard) != (exact["sound"] > hard))
        print(f"axes in {kind}{'' if stored is None else ', sample in int8'}: scores change by "
              f"{100 * np.median(change):.3f} % (median), {100 * change.max():.2f} % (most); AUROC by at most "
              f"{fall:.4f}; {100 * flips:.2f} % of sound pictures change sides of hard")


def twins(cache, float_cache):
    """Of films, the statistics come from one half of those held out, without copies, and the figures from the other."""
    recipe, areas = dataclasses.replace(CHOSEN[cache.task], copies=()), []
    for one in (cache, float_cache):
        if cache.task == "skin":
            training, held = one.sound()
        else:
            films = one.load("cxr_held")
            half = np.array([int(hashlib.sha256(g.encode()).hexdigest()[:8], 16) % 2 == 0 for g in films["group"]])
            training, held = select(films, half), select(films, ~half)
        fit = fitted(one, recipe, training, PAIRS[0])
        sound = fit(held)
        areas.append({name: auroc(sound, fit(part)) for name, part in one.sources().items()})
    print("| source | int8 | float | difference |\n|---|---|---|---|")
    for name in areas[1]:
        print(f"| {name} | {areas[0][name]:.4f} | {areas[1][name]:.4f} | {areas[0][name] - areas[1][name]:+.4f} |")


def part_of(task, picture):
    """The part of the data set that a file's name tells: ISIC by thousands of its number, Kermany by its prefix."""
    name = pathlib.Path(picture).name
    return f"ISIC_{name[5:9]}xxx" if task == "skin" else re.match(r"[A-Z0-9]+-?(?=IM)|IM|[a-z]+", name).group() + (
        "_" + name.split("_")[1] if name.startswith("person") else "")


def shift(cache):
    """Each part's share over the levels when the statistics saw it, and when they didn't."""
    task, recipe = cache.task, CHOSEN[cache.task]
    training, held = cache.sound()
    parts = {name: np.array([part_of(task, p) for p in pictures["picture"]]) for name, pictures in
             {"training": training, "held": held}.items()}
    usual = fitted(cache, recipe, training, PAIRS[0])
    print("| part | held out | over hard, % | over soft, % | fitted without it: over hard, % | over soft, % |\n|---|---|---|---|---|---|")
    for part in sorted(set(parts["held"])):
        mask = parts["held"] == part
        if mask.sum() < 15:
            continue
        without = fitted(cache, recipe, select(training, parts["training"] != part), PAIRS[0])
        cells = []
        for fit, rest in ((usual, held), (without, select(held, ~mask))):
            scores, levels = fit(select(held, mask)), np.quantile(fit(rest), [HARD, SOFT])
            cells += [f"{100 * np.mean(scores > level):.1f}" for level in levels]
        print(f"| {part} | {mask.sum()} | {' | '.join(cells)} |")


def falls_of(cache, index, fit, held):
    """By how much each source's area falls where sound and foreign pictures are brought to a variant."""
    found = {}
    for variant in VARIANTS:
        again = fit(cache.sound(index, variant)[1])
        for name, pictures in cache.sources(variant).items():
            found[name, variant] = auroc(held, fit(cache.sources()[name])) - auroc(again, fit(pictures))
    return found


def twins_of(cache, recipe, index, pair, held, pooled):
    """The areas of the int8 graph less those of the float graph of the same fold, where that is cached."""
    if not cache.has("pad_ufes"):
        return {}
    training, of_float = cache.sound(index)
    fit = fitted(cache, recipe, training, pair)
    areas = {name: auroc(fit(of_float), fit(pictures)) for name, pictures in cache.sources().items()}
    return {name: auroc(held, pooled[name][-1]) - area for name, area in areas.items()}


def folds(root, task, data):
    """The skin model's figures with pictures that neither the network nor the statistics saw, pooled over fold networks."""
    recipe, found = CHOSEN[task], []
    for pair in PAIRS if recipe.weight else PAIRS[:1]:
        pooled, sound, keratosis, training_level = {}, [], [], []
        falls, twins_of_folds = [], []
        for index in range(3):
            cache = Cache(root / f"{task}{index}", task, data)
            if not cache.has("pad_ufes"):
                continue
            training, held = cache.sound(index)
            fit = fitted(cache, recipe, training, pair)
            sound.append((held, fit(held), refused(task, held)))
            training_level.append(np.quantile(fit(training), HARD))
            other = fitted(cache, recipe, select(training, training["label"] != "seborrheic_keratosis"), pair)
            keratosis.append((held["label"], other(held)))
            for name, pictures in cache.sources().items():
                pooled.setdefault(name, []).append(fit(pictures))
            falls.append(falls_of(cache, index, fit, sound[-1][1]))
            twins_of_folds.append(twins_of(Cache(root / f"{task}{index}_float", task, data), recipe, index, pair, sound[-1][1], pooled))
        scores = np.concatenate([s for _, s, _ in sound])
        hard, soft = np.quantile(scores, HARD), np.quantile(scores, SOFT)
        print(f"\nfitted on {pair if recipe.weight else 'nothing foreign'}, {len(sound)} fold networks, {len(scores)} held out; soft {soft:.3f}, hard {hard:.3f}, training 99 % "
              f"{np.mean(training_level):.3f}; per fold hard {[round(float(np.quantile(s, HARD)), 3) for _, s, _ in sound]}")
        for name, parts in pooled.items():
            print(f"- {name}: AUROC {np.mean([auroc(s, p) for (_, s, _), p in zip(sound, parts)]):.3f}, under hard "
                  f"{100 * np.mean(np.concatenate(parts) <= hard):.1f} %")
        for what in falls[0]:
            each = [of_fold[what] for of_fold in falls]
            print(f"- {what[0]}, all brought to {what[1]}: the area falls by {np.round(each, 3)}, mean {np.mean(each):.3f}")
        for name in twins_of_folds[0]:
            print(f"- {name}: int8 less float {np.round([of_fold[name] for of_fold in twins_of_folds], 4)}")
        labels = np.concatenate([h["label"] for h, _, _ in sound])
        bad = (scores > hard) | np.concatenate([r for _, _, r in sound])
        for label in LABELS[task]:
            mask = labels == label
            print(f"- {label}: over hard or refused {100 * bad[mask].mean():.1f} % ({interval(bad[mask].sum(), mask.sum())}) of {mask.sum()}, "
                  f"over soft {100 * np.mean(scores[mask] > soft):.1f} %")
        areas = [auroc(s[lab != "seborrheic_keratosis"], s[lab == "seborrheic_keratosis"]) for lab, s in keratosis]
        print(f"- fitted without seborrheic keratosis: AUROC {np.round(areas, 3)}, mean {np.mean(areas):.3f}")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("part", choices=["taps", "methods", "bars", "tables", "twins", "shift", "folds"])
    parser.add_argument("task", choices=["skin", "chest"])
    parser.add_argument("--cache", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    args = parser.parse_args()
    cache = Cache(args.cache / args.task, args.task, args.data)
    if args.part == "folds":
        folds(args.cache, args.task, args.data)
    elif args.part == "twins":
        twins(cache, Cache(args.cache / f"{args.task}_float", args.task, args.data))
    else:
        {"taps": taps, "methods": methods, "bars": bars, "tables": tables, "shift": shift}[args.part](cache)


if __name__ == "__main__":
    main()
