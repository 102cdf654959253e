"""Writes a 12-megapixel JPEG, like a phone's photo, of a sample picture: it is enlarged, and sensor noise is added.

    python benches/enlarge.py SOURCE TARGET

The noise gives the entropy coder as much work as a real photo does. `compare.py` makes the file at each run, so it is
not in the repository.
"""

import pathlib
import sys

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 4032, 3024
NOISE = 6.0  # standard deviation, in grey levels
QUALITY = 90


def enlarge(source, target):
    picture = Image.open(source).convert("RGB").resize((WIDTH, HEIGHT), Image.BICUBIC)
    noise = np.random.default_rng(2017).normal(0, NOISE, (HEIGHT, WIDTH, 1))
    pixels = np.clip(np.asarray(picture, np.float32) + noise, 0, 255).astype(np.uint8)
    pathlib.Path(target).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(target, quality=QUALITY, subsampling="4:2:0")


if __name__ == "__main__":
    enlarge(sys.argv[1], sys.argv[2])
