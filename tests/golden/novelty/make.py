"""Writes `cases.json`: random tables, features and logits, and what NumPy makes of them in float64.

    pip install -r requirements.txt
    python make.py

`apply` has pictures under each formula of novelty, with tables in the bytes of a manifest. `fit` has rows of features and the
tables fitted to them. The formulas are those of docs/notes/2026-11-novelty.md ("Recommended"). The same bytes come each time.
"""

import base64
import hashlib
import json
import pathlib

import numpy as np

RANDOM = np.random.default_rng(20261129)


def energy(logits):
    top = logits.max()
    return float(-(top + np.log(np.exp(logits - top).sum())))


def rooted(x):
    return np.sign(x) * np.sqrt(np.abs(x))


def case(method, n, d, root=False, sample=None, neighbors=None, weight=None):
    mean = RANDOM.normal(0, 2, n).astype("<f4")
    scale = RANDOM.uniform(0.2, 3, n).astype("<f4")
    axes = (RANDOM.normal(0, 1, (n, d)) / np.sqrt(n)).astype("<f2")
    content = mean.tobytes() + scale.tobytes() + axes.tobytes()
    points = None
    if sample:
        scales = RANDOM.uniform(0.01, 0.05, d).astype("<f4")
        stored = RANDOM.integers(-127, 128, (sample, d)).astype(np.int8)
        content += scales.tobytes() + stored.tobytes()
        points = stored.astype(np.float64) * scales.astype(np.float64)
    pictures = []
    for spread in (0.1, 1, 1, 5, 1000):
        x = (RANDOM.normal(0, spread, n)).astype(np.float32)
        logits = RANDOM.normal(0, 3 * np.sqrt(spread), 4).astype(np.float32)
        value = x.astype(np.float64)
        value = rooted(value) if root else value
        p = ((value - mean.astype(np.float64)) / scale.astype(np.float64)) @ axes.astype(np.float64)
        if sample:
            distances = np.sqrt(((p - points) ** 2).sum(1))
            novelty = np.sort(distances)[neighbors - 1] / np.sqrt(d)
        else:
            novelty = np.sqrt((p ** 2).sum() / d)
        if weight:
            novelty += weight * energy(logits.astype(np.float64))
        pictures.append({"features": [float(v) for v in x], "logits": [float(v) for v in logits], "value": float(novelty)})
    fields = {"method": method, "features": ["t"], "root": root, "dimensions": d,
              "statistics": base64.b64encode(content).decode(), "neighbors": neighbors, "sample": sample, "weight": weight}
    return {"novelty": {k: v for k, v in fields.items() if v is not None}, "pictures": pictures}


def energies():
    pictures = []
    for spread in (0.1, 3, 50, 1e4):
        logits = RANDOM.normal(0, spread, 5).astype(np.float32)
        pictures.append({"features": [], "logits": [float(v) for v in logits], "value": energy(logits.astype(np.float64))})
    return {"novelty": {"method": "energy"}, "pictures": pictures}


def fit(rows, n, d, root, constant=False):
    """Tables of `d` dimensions at most. One feature is constant, if asked for, and the rows have unlike variances."""
    mixing = RANDOM.normal(0, 1, (n, n)) * np.geomspace(1, 0.05, n)[:, None]
    x = RANDOM.normal(0, 1, (rows, n)) @ mixing + RANDOM.normal(0, 3, n)
    if constant:
        x[:, 1] = 0.25
    value = rooted(x) if root else x
    mean, spread = value.mean(0), value.std(0)
    scale = spread + 0.05 * spread.mean()
    z = (value - mean) / scale
    variance, vectors = np.linalg.eigh(z.T @ z / rows)
    dims = min(d, int((variance > 1e-6 * variance[-1]).sum()))
    keep = slice(None, -dims - 1, -1)
    axes = vectors[:, keep] / np.sqrt(variance[keep])
    # A vector may be turned around. Its largest magnitude is positive here.
    axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(dims)])
    points = z @ axes
    scales = (np.abs(points).max(0) / 127).astype(np.float32).astype(np.float64)
    distances = np.sqrt((points ** 2).sum(1) / dims)
    return {"rows": [[float(v) for v in row] for row in x], "dimensions": d, "root": root, "mean": mean.tolist(),
            "scale": scale.tolist(), "axes": axes.tolist(), "points": points.tolist(), "scales": scales.tolist(),
            "stored": np.rint(points / scales).astype(int).tolist(),
            "values": distances.tolist(), "levels": [float(np.quantile(distances, q)) for q in (0.95, 0.99)]}


def order():
    names = [f"ISIC_{number:07}.jpg" for number in RANDOM.integers(0, 99999, 12)] + ["", "знімок.png"]
    return {"names": names, "first": sorted(range(len(names)), key=lambda i: hashlib.sha256(names[i].encode()).digest())[:5]}


def main():
    cases = {
        "by": f"numpy {np.__version__}",
        "apply": [
            energies(),
            case("mahalanobis", 7, 7),
            case("mahalanobis", 24, 5, root=True),
            case("nearest_neighbors", 16, 4, sample=40, neighbors=3),
            case("nearest_neighbors", 9, 3, root=True, sample=1, neighbors=1),
            case("combined", 12, 6, weight=0.125),
            case("combined", 12, 6, sample=25, neighbors=25, weight=0.5),
        ],
        "fit": [fit(60, 6, 6, False), fit(80, 8, 3, True), fit(40, 5, 5, False, constant=True)],
        "order": order(),
    }
    path = pathlib.Path(__file__).with_name("cases.json")
    path.write_text(json.dumps(cases, ensure_ascii=False) + "\n", encoding="utf-8")


main()
