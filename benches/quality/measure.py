"""Compares measures of a picture's quality: how stable they are, what they tell apart, and which limits refuse few.

    python benches/quality/measure.py PART --data DIR [--data DIR ...] [--count N] [--model FILE]

PART is one of

- `stability`: the change of each measure when the same picture arrives otherwise: decoded at 1/1 to 1/8, at another
  quality, as a camera frame, as a region of a larger picture, from a small file;
- `separate`: degraded copies against sound ones, the area under the ROC curve and the share caught by a limit;
- `limits`: quantiles over the train split, and what limits fitted on half of the groups refuse of the other half;
- `tones`: the same measures by the type of the skin;
- `network`: how far the answer of the model `--model` moves on the degraded copies.

A DIR is a data set unpacked: `labels.csv` with the columns file, split, label and group. Only rows of the split `train`
are read. Tables go to standard output, in Markdown. The sample of pictures and the noise are the same at each run.
`docs/notes/2026-11-quality.md` has the figures and what follows from them.
"""

import argparse
import collections
import csv
import hashlib
import io
import math
import pathlib

import numpy as np
from PIL import Image

SIDE = 224  # of the network's input
LINEAR = 2.2  # the exponent from a pixel's value to light

# The candidates. A name ends with the side of the picture that it is measured on, where that is not the input's.
FOCUS = ["focus.lap_grad_112", "focus.lap_grad_224", "focus.lap_grad_448", "focus.absolute_112",
         "focus.absolute_224", "focus.damped_112", "focus.damped_224", "focus.tiles_224", "focus.edges_112",
         "focus.edges_224", "focus.tenengrad_224", "focus.laplacian_224", "focus.twice_ratio",
         "focus.reblur_224", "focus.steep_224", "focus.spectrum_224", "focus.centre_lap_grad_224",
         "focus.centre_absolute_112", "focus.centre_absolute_224", "focus.centre_mean", "focus.centre_damped_112", "focus.centre_damped_224",
         "focus.centre_damped_abs_112", "focus.centre_damped_abs_224", "focus.centre_reblur_224"]
DARK = ["dark.share_16", "dark.share_32", "dark.centre_32", "dark.p95", "dark.centre_p95"]
BRIGHT = ["bright.luma_250", "bright.any_250", "bright.centre_250", "bright.p5"]
CONTRAST = ["contrast.p95_p5", "contrast.std", "contrast.centre", "contrast.michelson"]
COLOR = ["color.mean", "color.median", "color.share_8", "color.share_12", "color.share_24", "color.cbcr", "color.hasler"]
ALL = FOCUS + DARK + BRIGHT + CONTRAST + COLOR
HIGH_IS_BAD = set(DARK + BRIGHT)
# The measures that the note recommends, by the JSON field's name, and the limits it recommends.
CHOSEN = {"focus": "focus.centre_damped_abs_112", "dark": "dark.p95", "bright": "bright.luma_250",
          "contrast": "contrast.std"}
RGB = {**CHOSEN, "color": "color.share_24"}
GRAY = {**CHOSEN, "color": "color.share_8"}
SKIN = {"focus": 0.26, "dark": 0.75, "bright": 0.45, "contrast": 0.04, "color": 0.005}
FILM = {"focus": 0.31, "dark": 0.65, "bright": 0.10, "contrast": 0.15, "color": 0.05}


# The measures.

def luma(rgb):
    """ITU-R BT.601 in fixed point, as Pillow's `convert("L")`."""
    r, g, b = (rgb[..., c].astype(np.int64) for c in range(3))
    return (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16


def percentile(counts, share):
    """The smallest level that at least this share of the pixels do not exceed."""
    return int(np.searchsorted(np.cumsum(counts), share * counts.sum()))


def differences(y):
    """Of each axis: second differences, and differences of the two neighbours, at the same pixels."""
    for a, b, c in ((y[:, :-2], y[:, 1:-1], y[:, 2:]), (y[:-2], y[1:-1], y[2:])):
        yield a - 2 * b + c, c - a


def laplacian_over_gradient(y):
    """The energy of second differences over that of central ones: tan²(ω/2) of a wave of ω radians a pixel."""
    pairs = list(differences(y))
    gradient = sum(int((g * g).sum()) for _, g in pairs)
    return sum(int((s * s).sum()) for s, _ in pairs) / gradient if gradient else 0.0


def reblur(y):
    """1 less the blur of Crete et al. 2007: what a mean over nine pixels takes from the differences of neighbours."""
    worst = 1.0
    for plane in (y, y.T):
        padded = np.pad(plane, ((0, 0), (5, 4)), mode="edge").cumsum(1)
        blurred = (padded[:, 9:] - padded[:, :-9]) / 9.0
        sharp, soft = np.abs(np.diff(plane, axis=1)), np.abs(np.diff(blurred, axis=1))
        total = sharp.sum()
        worst = min(worst, np.maximum(0, sharp - soft).sum() / total if total else 0.0)
    return worst


def spectrum(y):
    """The slope of the logarithm of the power over that of the frequency, 0.05 to 0.4 cycles a pixel; steep is blurred."""
    window = np.hanning(y.shape[0])[:, None] * np.hanning(y.shape[1])
    power = np.abs(np.fft.rfft2((y - y.mean()) * window)) ** 2
    radius = np.hypot(np.fft.fftfreq(y.shape[0])[:, None], np.fft.rfftfreq(y.shape[1])[None])
    bins = np.linspace(0.05, 0.4, 15)
    at = np.digitize(radius, bins)
    means = [power[at == k].mean() for k in range(1, len(bins))]
    return float(np.polyfit(np.log((bins[1:] + bins[:-1]) / 2), np.log(np.maximum(means, 1e-9)), 1)[0])


def tiles(y, side=32):
    """The median of `laplacian_over_gradient` over the tiles that have at least a quarter of the mean gradient."""
    h, w = (n // side for n in y.shape)

    def sums(planes):
        whole = sum(np.pad(p * p, [(0, n - m) for n, m in zip(y.shape, p.shape)]) for p in planes)
        return whole.reshape(h, side, w, side).sum((1, 3))

    second, gradient = (sums(planes) for planes in zip(*differences(y)))
    kept = (gradient >= gradient.mean() / 4) & (gradient > 0)
    return float(np.median(second[kept] / gradient[kept])) if kept.any() else 0.0


def edges(y, least=16):
    """`laplacian_over_gradient` over the pixels whose neighbours differ by at least `least` levels; 0 where few do."""
    second = gradient = count = 0
    for s, g in differences(y):
        kept = np.abs(g) >= least
        second, gradient, count = second + (s[kept] ** 2).sum(), gradient + (g[kept] ** 2).sum(), count + kept.sum()
    return float(second / gradient) if count >= y.size // 200 else 0.0


def absolute(y, floor=0):
    """`laplacian_over_gradient` with magnitudes in place of squares, and `floor` levels added to each gradient."""
    pairs = list(differences(y))
    gradient = sum(float(np.abs(g).sum()) + floor * g.size for _, g in pairs)
    return sum(float(np.abs(s).sum()) for s, _ in pairs) / gradient if gradient else 0.0


def damped(y, floor):
    """`laplacian_over_gradient` with `floor` squared levels added to each gradient, so that noise alone counts little."""
    pairs = list(differences(y))
    gradient = sum(float((g * g).sum()) + floor * g.size for _, g in pairs)
    return sum(float((s * s).sum()) for s, _ in pairs) / gradient


def measures(single, twice):
    """All candidates of a picture at the input's size and at twice that, as RGB bytes."""
    y, y2 = luma(single), luma(twice)
    half = y.reshape(SIDE // 2, 2, SIDE // 2, 2).sum((1, 3))
    counts = np.bincount(y.ravel(), minlength=256)
    p5, p95 = percentile(counts, 0.05), percentile(counts, 0.95)
    n = y.size
    middle = y[SIDE // 4:-SIDE // 4, SIDE // 4:-SIDE // 4]
    middle_half = half[SIDE // 8:-SIDE // 8, SIDE // 8:-SIDE // 8] / 4
    inner = np.bincount(middle.ravel(), minlength=256)
    variance = max(float(y.var()), 1e-9)
    gx = y[:, 2:] - y[:, :-2]
    gy = y[2:] - y[:-2]
    sx = gx[:-2] + 2 * gx[1:-1] + gx[2:]
    sy = gy[:, :-2] + 2 * gy[:, 1:-1] + gy[:, 2:]
    cross = y[1:-1, :-2] + y[1:-1, 2:] + y[:-2, 1:-1] + y[2:, 1:-1] - 4 * y[1:-1, 1:-1]
    energy = [sum(float((np.diff(p, axis=a) ** 2).mean()) for a in (0, 1)) for p in (y, y2)]
    steepness = np.bincount(np.maximum(np.abs(gx[1:-1]), np.abs(gy[:, 1:-1])).ravel(), minlength=256)
    high, low = single.max(2).astype(int), single.min(2).astype(int)
    chroma = high - low
    chroma_counts = np.bincount(chroma.ravel(), minlength=256)
    r, g, b = (single[..., c].astype(float) for c in range(3))
    cb, cr = 0.564 * (b - y), 0.713 * (r - y)
    rg, yb = r - g, (r + g) / 2 - b
    return {
        "focus.lap_grad_112": laplacian_over_gradient(half),
        "focus.lap_grad_224": laplacian_over_gradient(y),
        "focus.lap_grad_448": laplacian_over_gradient(y2),
        "focus.absolute_112": absolute(half),
        "focus.absolute_224": absolute(y),
        "focus.damped_112": damped(half / 4, 8),
        "focus.damped_224": damped(y, 8),
        "focus.tiles_224": tiles(y),
        "focus.edges_112": edges(half / 4),
        "focus.edges_224": edges(y),
        "focus.tenengrad_224": float((sx * sx + sy * sy).mean()) / 64 / variance,
        "focus.laplacian_224": float(cross.var()) / variance,
        "focus.twice_ratio": 4 * energy[1] / energy[0] if energy[0] else 0.0,
        "focus.reblur_224": reblur(y),
        "focus.steep_224": percentile(steepness, 0.99) / 2 / max(p95 - p5, 1),
        "focus.spectrum_224": spectrum(y),
        "focus.centre_lap_grad_224": laplacian_over_gradient(middle),
        "focus.centre_absolute_112": absolute(middle_half),
        "focus.centre_absolute_224": absolute(middle),
        "focus.centre_mean": (absolute(middle_half) + absolute(middle)) / 2,
        "focus.centre_damped_112": damped(middle_half, 8),
        "focus.centre_damped_224": damped(middle, 8),
        "focus.centre_damped_abs_112": absolute(middle_half, 2),
        "focus.centre_damped_abs_224": absolute(middle, 2),
        "focus.centre_reblur_224": reblur(middle),
        "dark.share_16": counts[:16].sum() / n,
        "dark.share_32": counts[:32].sum() / n,
        "dark.centre_32": inner[:32].sum() / inner.sum(),
        "dark.p95": 1 - p95 / 255,
        "dark.centre_p95": 1 - percentile(inner, 0.95) / 255,
        "bright.luma_250": counts[250:].sum() / n,
        "bright.any_250": float((high >= 250).mean()),
        "bright.centre_250": inner[250:].sum() / inner.sum(),
        "bright.p5": p5 / 255,
        "contrast.p95_p5": (p95 - p5) / 255,
        "contrast.std": math.sqrt(variance) / 127.5,
        "contrast.centre": (percentile(inner, 0.95) - percentile(inner, 0.05)) / 255,
        "contrast.michelson": (p95 - p5) / max(p95 + p5, 1),
        "color.mean": chroma.mean() / 255,
        "color.median": percentile(chroma_counts, 0.5) / 255,
        "color.share_8": float((chroma >= 8).mean()),
        "color.share_12": float((chroma >= 12).mean()),
        "color.share_24": float((chroma >= 24).mean()),
        "color.cbcr": float(np.hypot(cb, cr).mean()) / 128,
        "color.hasler": float(np.hypot(rg.std(), yb.std()) + 0.3 * np.hypot(rg.mean(), yb.mean())) / 255,
    }


def of_picture(picture, box=None):
    """The measures of a decoded picture, or of a region of it in whole pixels, resized as the library does."""
    sizes = [picture.resize((side, side), Image.BILINEAR, box=box) for side in (SIDE, 2 * SIDE)]
    return measures(*(np.asarray(p.convert("RGB")) for p in sizes))


# Pictures.

class Set:
    """The rows of a data set's train split."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.name = self.folder.name
        with open(self.folder / "labels.csv", newline="") as file:
            self.rows = [row for row in csv.DictReader(file) if row["split"] == "train"]
        self.rows.sort(key=lambda row: digest(row["file"]))

    def open(self, row):
        return Image.open(self.folder / row["file"]).convert("RGB")

    @property
    def gray(self):
        return "cxr" in self.name or self.name.startswith("bus")

    @property
    def chosen(self):
        return GRAY if self.gray else RGB


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def generator(row):
    return np.random.default_rng(int(digest(row["file"])[:12], 16))


def jpeg(picture, quality=90, subsampling="4:2:0"):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling=subsampling)
    return file.getvalue()


def decode(data, eighths=8):
    """Decodes at a scale in eighths of each side, by libjpeg's scaled inverse transform."""
    picture = Image.open(io.BytesIO(data))
    if eighths < 8:
        picture.draft("RGB", (picture.width * eighths // 8, picture.height * eighths // 8))
    return picture.convert("RGB")


def clipped(values):
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def as_frame(picture, full):
    """The picture as a YUV 4:2:0 frame of BT.601 and back; the four pixels of a square share U and V."""
    rgb = np.asarray(picture, float)
    kr, kb = 0.299, 0.114
    y = rgb @ [kr, 1 - kr - kb, kb]
    u, v = (rgb[..., 2] - y) / (2 - 2 * kb), (rgb[..., 0] - y) / (2 - 2 * kr)
    u, v = (p.reshape(p.shape[0] // 2, 2, p.shape[1] // 2, 2).mean((1, 3)) for p in (u, v))
    black, height, width = (0, 1, 1) if full else (16, 219 / 255, 224 / 255)
    quantised = lambda p, zero, scale: (np.clip(np.rint(p * scale + zero), 0, 255) - zero) / scale
    y, u, v = quantised(y, black, height), quantised(u, 128, width), quantised(v, 128, width)
    u, v = (p.repeat(2, 0).repeat(2, 1) for p in (u, v))
    r, b = y + u * 0 + v * (2 - 2 * kr), y + u * (2 - 2 * kb)
    return clipped(np.stack([r, (y - kr * r - kb * b) / (1 - kr - kb), b], -1))


def arrivals(data_set, row, side):
    """(name, measures) of the same picture as it may arrive, enlarged to `side`. The first is the reference."""
    small = data_set.open(row)
    large = small.resize((side, side), Image.BICUBIC)
    noise = generator(row).normal(0, 6, (side, side, 1))
    noisy = jpeg(clipped(np.asarray(large, float) + noise))
    file = jpeg(large)
    yield "1/1", of_picture(decode(file))
    for eighths in (4, 2, 1):
        yield f"1/{8 // eighths}", of_picture(decode(file, eighths))
    for quality in (75, 60):
        yield f"quality {quality}", of_picture(decode(jpeg(large, quality)))
    yield "frame, full range", of_picture(as_frame(large, True))
    yield "frame, limited range", of_picture(as_frame(large, False))
    margin = (307, 211)
    canvas = Image.new("RGB", (side + 608, side + 608), (90, 120, 60))
    canvas.paste(large, margin)
    canvas = jpeg(canvas)
    for eighths in (8, 2):
        picture = decode(canvas, eighths)
        scale = picture.width / (side + 608)
        box = [round(edge * scale) for edge in (*margin, margin[0] + side, margin[1] + side)]
        yield f"region, 1/{8 // eighths}", of_picture(picture, box)
    yield "Lanczos", of_picture(decode(jpeg(small.resize((side, side), Image.LANCZOS))))
    yield "small file", of_picture(small)
    yield "noise 6", of_picture(decode(noisy))
    for eighths in (4, 2, 1):
        yield f"noise 6, 1/{8 // eighths}", of_picture(decode(noisy, eighths))
    # A picture with detail to its last pixel: 7 × 7 pictures of the set.
    across = side // 256
    mosaic = Image.new("RGB", (across * 256, across * 256))
    others = data_set.rows[int(digest(row["file"])[:6], 16) % (len(data_set.rows) - across * across):]
    for k in range(across * across):
        mosaic.paste(data_set.open(others[k]).resize((256, 256), Image.BICUBIC), (k % across * 256, k // across * 256))
    mosaic = jpeg(mosaic)
    for eighths in (8, 4, 2, 1):
        yield f"mosaic, 1/{8 // eighths}", of_picture(decode(mosaic, eighths))


REFERENCES = {"noise 6, 1": "noise 6", "mosaic": "mosaic, 1/1"}  # by how a name begins; else "1/1"


def reference(name):
    return next((ref for begin, ref in REFERENCES.items() if name.startswith(begin)), "1/1")


def stability(data_set, count, side):
    changes = collections.defaultdict(list)
    for row in data_set.rows[:count]:
        seen = dict(arrivals(data_set, row, side))
        for name, values in seen.items():
            base = seen[reference(name)]
            if name != reference(name):
                for key in ALL:
                    changes[name, key].append((values[key], base[key]))
    print(f"\n### Stability: {data_set.name}, {count} pictures at {side} px; % of change, median / 95th percentile;",
          "a change of less than 0.005 counts as 0, and a value below 0.05 as 0.05\n")
    names = list(dict.fromkeys(name for name, _ in changes))
    print("| measure | " + " | ".join(names) + " |\n|---|" + "---|" * len(names))
    for key in ALL:
        cells = []
        for name in names:
            pairs = np.array(changes[name, key])
            moved = np.abs(pairs[:, 0] - pairs[:, 1])
            relative = np.where(moved < 0.005, 0, moved / np.maximum(np.abs(pairs[:, 1]), 0.05)) * 100
            cells.append("{:.0f} / {:.0f}".format(*np.percentile(relative, (50, 95))))
        print(f"| {key} | " + " | ".join(cells) + " |")


# Degraded copies.

def light(picture):
    return (np.asarray(picture, float) / 255) ** LINEAR


def values(light_):
    return np.clip(light_, 0, 1) ** (1 / LINEAR) * 255


def convolve(planes, kernel):
    """Convolves each channel; the borders are repeated."""
    k = kernel.shape[0] // 2
    padded = np.pad(planes, ((k, k), (k, k), (0, 0)), mode="edge")
    shape = padded.shape[:2]
    placed = np.zeros(shape)
    placed[: kernel.shape[0], : kernel.shape[1]] = kernel
    spectrum_ = np.fft.rfft2(placed)[..., None] * np.fft.rfft2(padded, axes=(0, 1))
    result = np.fft.irfft2(spectrum_, s=shape, axes=(0, 1))
    return result[2 * k:, 2 * k:]


def disk(radius):
    """A disk with a smooth rim, from 8 × 8 points a pixel."""
    k = math.ceil(radius)
    at = (np.arange((2 * k + 1) * 8) + 0.5) / 8 - k - 0.5
    inside = np.hypot(at[:, None], at[None]) <= radius
    kernel = inside.reshape(2 * k + 1, 8, 2 * k + 1, 8).mean((1, 3))
    return kernel / kernel.sum()


def line(length, angle):
    k = math.ceil(length / 2)
    kernel = np.zeros((2 * k + 1, 2 * k + 1))
    for t in np.linspace(-length / 2, length / 2, 16 * k + 1):
        x, y = k + t * math.cos(angle), k + t * math.sin(angle)
        for i in (int(x), int(x) + 1):
            for j in (int(y), int(y) + 1):
                if i <= 2 * k and j <= 2 * k:
                    kernel[j, i] += (1 - abs(x - i)) * (1 - abs(y - j))
    return kernel / kernel.sum()


def degraded(picture, row, films):
    """(measure's family, name, picture): what a camera or a person does to a picture. Radii are in pixels of 224."""
    random = generator(row)
    size = picture.size
    scale = min(size) / SIDE
    lit = light(picture)

    def finished(pixels, noise=1.0):
        pixels = pixels + random.normal(0, noise, (*pixels.shape[:2], 1))
        return decode(jpeg(clipped(pixels)))

    yield "", "noise 1, JPEG 90", finished(np.asarray(picture, float))
    yield "", "noise 3, JPEG 75", decode(jpeg(finished(np.asarray(picture, float), 3.0), 75))
    for radius in (1, 1.5, 2, 3, 4, 6, 8):
        yield "focus", f"defocus {radius}", finished(values(convolve(lit, disk(radius * scale))))
        if radius in (2, 3, 4):
            large = finished(values(convolve(lit, disk(radius * scale)))).resize([n * 4 for n in size], Image.BICUBIC)
            yield "focus", f"defocus {radius}, then enlarged 4 times", decode(jpeg(large))
    yield "focus", "defocus 3, noise 3", finished(values(convolve(lit, disk(3 * scale))), 3.0)
    for length in (4, 8, 16):
        kernel = line(length * scale, random.uniform(0, math.pi))
        yield "focus", f"motion {length}", finished(values(convolve(lit, kernel)))
    for side in (160, 112, 80, 56, 32):
        yield "focus", f"source {side} px", decode(jpeg(picture.resize((side, side), Image.BICUBIC)))
    for stops in (1, 2, 3, 4):
        yield "dark", f"light / {2 ** stops}", finished(values(lit / 2 ** stops))
    yield "dark", "gamma 2.5", finished((np.asarray(picture, float) / 255) ** 2.5 * 255)
    for gain in (1.5, 2, 4, 8):
        yield "bright", f"light × {gain}", finished(values(lit * gain))
    yield "bright", "gamma 0.4", finished((np.asarray(picture, float) / 255) ** 0.4 * 255)
    for share in (0.5, 0.3, 0.2, 0.1):
        veil = np.asarray(picture, float) * share + (1 - share) * 190
        yield "contrast", f"veil, {share} left", finished(veil)
    plain = np.asarray(picture.convert("L"), float)[..., None].repeat(3, 2)
    if films:
        for name, tint in (("blue 5 %", (0.95, 0.975, 1)), ("blue 10 %", (0.9, 0.95, 1)), ("blue 20 %", (0.8, 0.9, 1)),
                           ("warm 10 %", (1, 0.95, 0.9)), ("warm 20 %", (1, 0.9, 0.8))):
            yield "gray", f"tint {name}", finished(plain * tint)
        small = clipped(plain * (0.85, 0.95, 1) * 0.8 + 25).resize([round(n * 0.8) for n in size], Image.BICUBIC)
        photo = Image.new("RGB", size, (200, 215, 230) if random.random() < 0.5 else (25, 24, 22))
        photo.paste(small.rotate(random.uniform(-4, 4), Image.BICUBIC, fillcolor=(25, 24, 22)),
                    [round(n * 0.1) for n in size])
        yield "gray", "photo of a film", finished(values(convolve(light(photo), disk(0.8 * scale))))
    else:
        yield "rgb", "grey copy", finished(plain)
        for share in (0.1, 0.25, 0.5):
            yield "rgb", f"colour × {share}", finished(plain * (1 - share) + np.asarray(picture, float) * share)
        yield "rgb", "grey, blue tint 10 %", finished(plain * (0.9, 0.95, 1))


def area(sound, bad, high_is_bad):
    """The area under the ROC curve, with ties counted half."""
    joined = np.concatenate([sound, bad])
    _, inverse, counts = np.unique(joined, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    won = (ranks[len(sound):].sum() - len(bad) * (len(bad) + 1) / 2) / (len(bad) * len(sound))
    return won if high_is_bad else 1 - won


def limit(sound, share, high_is_bad):
    """The order statistic that refuses at most this share of the sound values, strictly beyond it."""
    ordered = np.sort(sound)
    k = int(share * len(ordered))
    return ordered[len(ordered) - 1 - k] if high_is_bad else ordered[k]


def refused(data_set, values_):
    """The fields by which the recommended limits refuse a picture."""
    at = FILM if data_set.gray else SKIN
    high = {field for field, key in data_set.chosen.items() if key in HIGH_IS_BAD or key == "color.share_8"}
    return {field for field, key in data_set.chosen.items()
            if (values_[key] > at[field] if field in high else values_[key] < at[field])}


def separate(data_set, count, fitted):
    """`fitted`: pictures from which the limits come; the next `count` are judged."""
    base = [of_picture(data_set.open(row)) for row in data_set.rows[:fitted]]
    groups = {row["group"] for row in data_set.rows[:fitted]}
    judged = [row for row in data_set.rows[fitted:] if row["group"] not in groups][:count]
    judged = judged or data_set.rows[:count]
    sound = [of_picture(data_set.open(row)) for row in judged]
    bad = collections.defaultdict(list)
    families = {}
    for row in judged:
        for family, name, picture in degraded(data_set.open(row), row, data_set.gray):
            families[name] = family
            bad[name].append(of_picture(picture))
    print(f"\n### Told apart: {data_set.name}, limits from {len(base)} pictures (0.1 % refused), {len(judged)} judged;",
          "area under the ROC curve / % of degraded copies refused\n")
    rows = {"focus": FOCUS, "dark": DARK, "bright": BRIGHT, "contrast": CONTRAST, "gray": COLOR, "rgb": COLOR}
    for family, keys in rows.items():
        names = [name for name in families if families[name] in ("", family)]
        if not any(families[name] == family for name in names):
            continue
        print(f"\n| {family} | limit | sound | " + " | ".join(names) + " |\n|---|---|---|" + "---|" * len(names))
        for key in keys:
            high = key in HIGH_IS_BAD or family == "gray"
            at = limit(np.array([m[key] for m in base]), 0.001, high)
            caught = lambda ms: 100 * np.mean([m[key] > at if high else m[key] < at for m in ms])
            good = np.array([m[key] for m in sound])
            cells = [f"{area(good, np.array([m[key] for m in bad[name]]), high):.3f} / {caught(bad[name]):.0f}"
                     for name in names]
            print(f"| {key} | {at:.4f} | {caught(sound):.1f} | " + " | ".join(cells) + " |")


    print(f"\n### Refused by the recommended limits: {data_set.name}, % of {len(judged)}\n")
    print("| copy | any | " + " | ".join(RGB) + " |\n|---|---|" + "---|" * len(RGB))
    for name, copies in {"sound": sound, **bad}.items():
        fields = [refused(data_set, m) for m in copies]
        cells = [sum(map(bool, fields)), *(sum(field in f for f in fields) for field in RGB)]
        print(f"| {name} | " + " | ".join(f"{100 * cell / len(copies):.0f}" for cell in cells) + " |")


def limits(data_set, count):
    rows = data_set.rows[:count]
    seen = [of_picture(data_set.open(row)) for row in rows]
    print(f"\n### Quantiles: {data_set.name}, {len(rows)} pictures of the train split\n")
    shares = (0, 0.1, 0.5, 1, 5, 50, 95, 99, 99.5, 99.9, 100)
    print("| measure | " + " | ".join(f"{s} %" for s in shares) + " |\n|---|" + "---|" * len(shares))
    for key in ALL:
        print(f"| {key} | " + " | ".join(f"{v:.4f}" for v in np.percentile([m[key] for m in seen], shares)) + " |")
    halves = [np.array([int(digest("half" + row["group"])[0], 16) % 2 == k for row in rows]) for k in (0, 1)]
    labels = np.array([row["label"] for row in rows])
    print(f"\n| limits from half of the groups ({halves[0].sum()}), judged on the other ({halves[1].sum()}), both ways "
          "| refused |\n|---|---|")
    any_refused = np.zeros(len(rows), bool)
    for field, key in data_set.chosen.items():
        column = np.array([m[key] for m in seen])
        high = key in HIGH_IS_BAD or field == "color" and data_set.gray
        beyond = np.zeros(len(rows), bool)
        at = []
        for fit, judge in (halves, halves[::-1]):
            at.append(limit(column[fit], 0.001, high))
            beyond |= judge & (column > at[-1] if high else column < at[-1])
        any_refused |= beyond
        print(f"| {field} = {key}, at {at[0]:.4f} and {at[1]:.4f} | {beyond.sum()} of {len(rows)} |")
    print(f"| any of them | {any_refused.sum()} of {len(rows)}, {100 * any_refused.mean():.2f} % |")
    print(f"\n| {data_set.name} | pictures | refused by fitted limits | refused by the recommended ones, by field |")
    print("|---|---|---|---|")
    fields = [refused(data_set, m) for m in seen]
    for label in ["all", *sorted(set(labels))]:
        kind = (labels == label) | (label == "all")
        by_field = {field: sum(field in f for f, k in zip(fields, kind) if k) for field in RGB}
        print(f"| {label} | {kind.sum()} | {any_refused[kind].sum()} | "
              f"{sum(bool(f) for f, k in zip(fields, kind) if k)}: {by_field} |")


def typology_angle(picture):
    """The individual typology angle, in degrees, of the brighter half of a picture: above 55 is very light skin, below
    -30 dark. It takes the picture's exposure for the skin's tone."""
    rgb = np.asarray(picture.resize((64, 64), Image.BILINEAR), float).reshape(-1, 3)
    y = rgb @ [0.299, 0.587, 0.114]
    r, g, b = ((np.median(rgb[y >= np.median(y)], 0) / 255) ** LINEAR)
    xyz = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]) @ [r, g, b]
    x, y, z = np.cbrt(xyz / [0.9505, 1, 1.089])
    return math.degrees(math.atan2(116 * y - 16 - 50, 200 * (y - z)))


def tones(data_set, count):
    rows = data_set.rows[:count]
    seen = [(row, typology_angle(data_set.open(row)), of_picture(data_set.open(row))) for row in rows]
    classes = [("very light, > 55°", 55, 181), ("light, 41–55°", 41, 55), ("intermediate, 28–41°", 28, 41),
               ("tan, 10–28°", 10, 28), ("brown, -30–10°", -30, 10), ("dark, < -30°", -181, -30)]
    groups = [(f"angle {name}", [m for _, a, m in seen if low < a <= high]) for name, low, high in classes]
    if "fitzpatrick" in rows[0]:
        for kind in sorted({row["fitzpatrick"] for row in rows}):
            groups.append((f"Fitzpatrick {kind or 'unknown'}", [m for row, _, m in seen if row["fitzpatrick"] == kind]))
    keys = DARK + ["contrast.std", "contrast.centre", "color.share_24", "focus.centre_damped_abs_112"]
    print(f"\n### Skin: {data_set.name}, {len(rows)} pictures; median / the worst value\n")
    print("| skin | pictures | " + " | ".join(keys) + " |\n|---|---|" + "---|" * len(keys))
    for name, members in groups:
        if members:
            worst = {k: (max if k in HIGH_IS_BAD else min)(m[k] for m in members) for k in keys}
            cells = [f"{np.median([m[k] for m in members]):.3f} / {worst[k]:.3f}" for k in keys]
            print(f"| {name} | {len(members)} | " + " | ".join(cells) + " |")


def network(data_set, count, model):
    """How far a model's answer moves on the degraded copies. The network learned from these pictures."""
    import json

    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    manifest = json.loads(session.get_modelmeta().custom_metadata_map["bedside"])
    entry, temperature = manifest["input"], manifest["calibration"]["temperature"]
    labels = [label["id"] for label in manifest["output"]["labels"]]

    def probabilities(picture):
        pixels = np.asarray(picture.resize((entry["width"], entry["height"]), Image.BILINEAR), np.float32) / 255
        pixels = (pixels - np.float32(entry["mean"])) / np.float32(entry["std"])
        logits = session.run(None, {session.get_inputs()[0].name: pixels.transpose(2, 0, 1)[None]})[0][0] / temperature
        powers = np.exp(logits - logits.max())
        return powers / powers.sum()

    rows = collections.defaultdict(list)
    for row in data_set.rows[:count]:
        sound = probabilities(data_set.open(row))
        for _, name, picture in degraded(data_set.open(row), row, data_set.gray):
            found = probabilities(picture)
            values_ = of_picture(picture)
            rows[name].append((sound.argmax() != found.argmax(), np.abs(sound - found).max(),
                               bool(refused(data_set, values_)), row["label"] == labels[found.argmax()]))
    print(f"\n### What the network makes of it: {data_set.name}, {min(count, len(data_set.rows))} pictures\n")
    print("| copy | most probable label changed, % | largest change of a probability, median | refused, % "
          "| changed though not refused, % of all | right, % |\n|---|---|---|---|---|---|")
    for name, found in rows.items():
        changed, moved, out, right = (np.array(column) for column in zip(*found))
        print(f"| {name} | {100 * changed.mean():.0f} | {np.median(moved):.2f} | {100 * out.mean():.0f} "
              f"| {100 * (changed & ~out).mean():.0f} | {100 * right.mean():.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["stability", "separate", "limits", "tones", "network"])
    parser.add_argument("--data", action="append", required=True, metavar="DIR", help="a data set, unpacked")
    parser.add_argument("--count", type=int, default=200, help="pictures of each set")
    parser.add_argument("--fitted", type=int, default=1000, help="separate: pictures from which limits come")
    parser.add_argument("--side", type=int, default=1792, help="stability: the side of the enlarged picture")
    parser.add_argument("--model", help="network: the model that is asked, such as models/skin-lesion/model.onnx")
    arguments = parser.parse_args()
    for folder in arguments.data:
        data_set = Set(folder)
        if arguments.part == "stability":
            stability(data_set, arguments.count, arguments.side)
        elif arguments.part == "separate":
            separate(data_set, min(arguments.count, len(data_set.rows)), min(arguments.fitted, len(data_set.rows) // 2))
        elif arguments.part == "limits":
            limits(data_set, arguments.count)
        elif arguments.part == "network":
            network(data_set, arguments.count, arguments.model)
        else:
            tones(data_set, arguments.count)


if __name__ == "__main__":
    main()
