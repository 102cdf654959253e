"""Random changes of pictures for training, each of them one that a picture of the same thing may well have.

The recipes import this module. All work on batches of N×channels×H×W, with values of 0 to 1 unless stated, and draw from a
generator alone, so that a step that is run again sees the same pictures.
"""

import io

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw

INKS = [(40, 40, 120), (60, 40, 140), (80, 50, 120), (30, 60, 150), (30, 30, 50), (30, 90, 60)]


def uniform(count, low, high, generator):
    return torch.empty(count).uniform_(low, high, generator=generator)


def each(values):
    """One value a picture, to be multiplied with a batch."""
    return values.view(-1, 1, 1, 1)


def chosen(count, share, generator):
    """The indices of the pictures that are changed, where each is with this probability."""
    return torch.nonzero(torch.rand(count, generator=generator) < share).flatten().tolist()


def placed(pictures, side, generator, *, quarters, mirror, turn, least, squash, beyond):
    """Pictures of bytes, moved and turned, as N×channels×side×side.

    They are turned by up to `turn` degrees, after a multiple of 90° where `quarters` are allowed, and mirrored where `mirror`
    is. The part that is seen has `least` to 1.1 of the side and lies mostly in the picture; its aspect ratio changes by up to
    e^(2 · `squash`). `beyond` is what lies beyond the edge: `reflection` or `zeros`.
    """
    count = len(pictures)
    quarter = torch.randint(4, (count,), generator=generator) * (90 if quarters else 0)
    angle = (quarter + uniform(count, -turn, turn, generator)).deg2rad()
    scale = uniform(count, least, 1.1, generator)
    stretch = uniform(count, -squash, squash, generator).exp()
    flip = torch.randint(2, (count,), generator=generator) * 2 - 1 if mirror else torch.ones(count)
    room = (1 - scale).abs()
    shift = [uniform(count, -1, 1, generator) * room for _ in range(2)]
    across, down = scale * stretch * flip, scale / stretch
    rows = [angle.cos() * across, -angle.sin() * down, shift[0], angle.sin() * across, angle.cos() * down, shift[1]]
    maps = torch.stack(rows, dim=1).view(count, 2, 3)
    grid = F.affine_grid(maps, [count, pictures.shape[1], side, side], align_corners=False)
    return F.grid_sample(pictures.float() / 255, grid, mode="bilinear", padding_mode=beyond, align_corners=False)


def recoloured(x, generator):
    """The colours of another camera and another light: saturation, balance, gamma, contrast and brightness."""
    count = len(x)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * each(uniform(count, 0.7, 1.3, generator))
    x = x * torch.empty(count, 3, 1, 1).uniform_(0.9, 1.1, generator=generator)
    x = x.clamp_min(1e-3) ** each(uniform(count, -0.25, 0.25, generator).exp())
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * each(uniform(count, 0.75, 1.25, generator)) + mean
    return x + each(uniform(count, -0.1, 0.1, generator))


def shaded(x, generator, share):
    """Light from one side, up to 35 % more there than in the middle, in a share of the pictures."""
    count, side = len(x), x.shape[-1]
    angle = uniform(count, 0, 2 * np.pi, generator)
    strength = uniform(count, 0, 0.35, generator) * (torch.rand(count, generator=generator) < share)
    line = torch.linspace(-1, 1, side)
    slope = each(angle.cos()) * line.view(1, 1, 1, side) + each(angle.sin()) * line.view(1, 1, side, 1)
    return x * (1 + each(strength) * slope)


def exposed(x, generator, gamma, gain):
    """Another gamma, by up to e^`gamma`, and another gain, by up to e^`gain`."""
    count = len(x)
    x = x.clamp_min(1e-3) ** each(uniform(count, -gamma, gamma, generator).exp())
    return x * each(uniform(count, -gain, gain, generator).exp())


def coarser(x, generator, share, least):
    """A share of the pictures as if they had fewer pixels: `least` of the side or more."""
    side = x.shape[-1]
    sizes = (side * uniform(len(x), least, 1, generator)).int().tolist()
    for at in chosen(len(x), share, generator):
        small = F.interpolate(x[at : at + 1], (sizes[at],) * 2, mode="bilinear", antialias=True, align_corners=False)
        x[at : at + 1] = F.interpolate(small, (side, side), mode="bilinear", align_corners=False)
    return x


def noisy(x, generator, most):
    """Noise of a standard deviation of up to `most`."""
    return x + each(uniform(len(x), 0, most, generator)) * torch.empty_like(x).normal_(generator=generator)


def resaved(x, generator, share, qualities):
    """A share of the pictures saved as JPEG of one of these qualities, as messengers do."""
    drawn = torch.randint(*qualities, (len(x),), generator=generator).tolist()
    for at in chosen(len(x), share, generator):
        pixels = (x[at].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        file = io.BytesIO()
        Image.fromarray(pixels.squeeze()).save(file, "JPEG", quality=drawn[at])
        read = np.array(Image.open(file)).reshape(pixels.shape)
        x[at] = torch.from_numpy(read).permute(2, 0, 1).float() / 255
    return x


def inked(pictures, generator, share):
    """A share of pictures of bytes with strokes of a pen around the middle or elsewhere, whatever they show: ink must tell
    nothing."""
    pictures = pictures.clone()
    for at in chosen(len(pictures), share, generator):
        random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        image = Image.fromarray(pictures[at].permute(1, 2, 0).numpy())
        layer = Image.new("RGBA", image.size)
        draw_ink(ImageDraw.Draw(layer), image.size[0], random)
        drawn = Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")
        pictures[at] = torch.from_numpy(np.array(drawn)).permute(2, 0, 1)
    return pictures


def draw_ink(canvas, side, random):
    """A closed or open ring around the middle, or a few strokes anywhere."""
    colour = (*INKS[random.integers(len(INKS))], int(random.uniform(90, 220)))
    width = int(random.uniform(1, 5) * side / 224) + 1
    if random.random() < 2 / 3:
        centre, radii = random.uniform(0.4, 0.6, 2) * side, random.uniform(0.15, 0.42, 2) * side
        angles = random.uniform(0, 2 * np.pi) + np.linspace(0, random.uniform(1.5, 6.6), 40)
        wobble = 1 + 0.06 * np.sin(angles * random.integers(2, 6) + random.uniform(0, 6))
        ring = centre + radii * wobble[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        canvas.line([tuple(point) for point in ring], fill=colour, width=width)
        return
    for _ in range(random.integers(1, 5)):
        start, stroke = random.uniform(0, side, 2), random.uniform(-0.2, 0.2, 2) * side
        bend = start + stroke / 2 + random.uniform(-0.05, 0.05, 2) * side
        canvas.line([tuple(start), tuple(bend), tuple(start + stroke)], fill=colour, width=width)


def labelled(pictures, generator, share):
    """A share of grey pictures of bytes with callipers and letters of a scanner, whatever they show."""
    pictures = pictures.clone()
    for at in chosen(len(pictures), share, generator):
        random = np.random.default_rng(int(torch.randint(2**31, (1,), generator=generator)))
        image = Image.fromarray(pictures[at, 0].numpy())
        draw_labels(ImageDraw.Draw(image), image.size[0], random)
        pictures[at, 0] = torch.from_numpy(np.array(image))
    return pictures


def draw_labels(canvas, side, random):
    """One to four crosses, and up to two words of chance letters."""
    for _ in range(random.integers(1, 5)):
        x, y = random.uniform(0.1, 0.9, 2) * side
        arm, grey = random.uniform(2, 5), int(random.uniform(150, 255))
        canvas.line([(x - arm, y), (x + arm, y)], fill=grey)
        canvas.line([(x, y - arm), (x, y + arm)], fill=grey)
    for _ in range(random.integers(0, 3)):
        word = "".join(chr(random.integers(65, 91)) for _ in range(random.integers(2, 12)))
        place, grey = tuple(random.uniform(0, 0.8, 2) * side), int(random.uniform(120, 255))
        canvas.text(place, word, fill=grey, font_size=int(random.uniform(8, 16)))


def speckled(x, generator, most):
    """Speckle: noise that is multiplied, twice as long across the beam as along it, of a deviation of up to `most`."""
    count, side = len(x), x.shape[-1]
    grains = torch.empty(count, 1, side, side // 2).normal_(generator=generator)
    grains = F.interpolate(grains, (side, side), mode="bilinear", align_corners=False)
    return x * (1 + each(uniform(count, 0, most, generator)) * grains)


def compensated(x, generator):
    """Another compensation of depth: up to e^0.2 brighter at the top and darker at the bottom, or the reverse."""
    depth = torch.linspace(-1, 1, x.shape[-1]).view(1, 1, -1, 1)
    return x * (each(uniform(len(x), -0.2, 0.2, generator)) * depth).exp()


def as_input(x):
    """N×3×H×W, values (x − 128) / 128, of one or three channels of 0 to 1."""
    return (x.clamp(0, 1) * (255 / 128) - 1).expand(-1, 3, -1, -1)


def of_skin(pictures, side, generator):
    """Pictures of bytes as the network's input: another place, distance and turn; another camera, light and pen; saved again,
    and with fewer pixels."""
    x = inked(pictures, generator, 0.1)
    x = placed(
        x, side, generator, quarters=True, mirror=True, turn=45, least=0.6, squash=0.12, beyond="reflection"
    )
    x = shaded(recoloured(x, generator), generator, 0.5)
    x = noisy(coarser(x, generator, 0.3, 0.4), generator, 0.02)
    return as_input(resaved(x, generator, 0.3, (30, 92)))


def of_dermatoscope(pictures, side, generator):
    """Pictures of bytes as the network's input: another place, distance and turn, a little of another light, and saved again.
    They are not made coarser: what tells melanomas are fine structures."""
    x = placed(
        pictures, side, generator, quarters=True, mirror=True, turn=20, least=0.65, squash=0.12, beyond="reflection"
    )
    count = len(x)
    grey = x.mean(dim=1, keepdim=True)
    x = grey + (x - grey) * each(uniform(count, 0.75, 1.25, generator))
    x = x * torch.empty(count, 3, 1, 1).uniform_(0.92, 1.08, generator=generator)
    x = (x - 0.5) * each(uniform(count, 0.8, 1.25, generator)) + 0.5 + each(uniform(count, -0.075, 0.075, generator))
    return as_input(resaved(x, generator, 0.2, (60, 95)))
