"""Fine-tunes MobileNetV2 on ISIC 2017's train and val pictures: one cross-validation fold, or all of them.

The schedule is fixed beforehand and the same for every run: there is no early stopping, so no picture is used to
choose a moment. The rarer classes weigh more in the loss; afterwards the logarithm of that weight is taken off the
head's bias, so that the probabilities answer to the class shares of the training pictures again. What is kept is a
moving average of the weights. A run that is cut off goes on from its last epoch.
"""

import argparse
import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from data import LABELS, fold, labels_of, load, pictures, vary
from network import pretrained

# (epochs, side): small pictures first, which cost half, then the size that the model is used at.
PROGRAMME = [(10, 160), (5, 224)]
EPOCHS = sum(epochs for epochs, _ in PROGRAMME)
BATCH = 16
RATE, HEAD_RATE, DECAY = 2e-4, 1e-3, 0.02
WARM_UP = 0.08
FROZEN_BLOCKS = 4
AVERAGE = 0.998
SEED = 20261123


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("weights", type=Path, help="mobilenet_v2_1.0_224_float.onnx")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the trained weights go (.pt)")
    parser.add_argument("--fold", type=int, help="hold this fold out; without it, learn from everything")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def side_at(epoch):
    for epochs, side in PROGRAMME:
        if epoch < epochs:
            return side
        epoch -= epochs
    raise ValueError("the programme is over")


def rate_at(progress):
    """Share of the full learning rate: a short rise, then half a cosine."""
    if progress < WARM_UP:
        return progress / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP)))


def class_weights(labels):
    """The inverse square root of each class's share, scaled so that the mean over the pictures is 1."""
    share = np.bincount(labels, minlength=len(LABELS)) / len(labels)
    weights = share**-0.5
    return torch.tensor(weights / (weights * share).sum(), dtype=torch.float32)


def optimiser_for(network):
    head = list(network.head.parameters())
    body = [p for p in network.blocks.parameters() if p.requires_grad]
    groups = [{"params": body, "lr": RATE, "peak": RATE}, {"params": head, "lr": HEAD_RATE, "peak": HEAD_RATE}]
    return torch.optim.AdamW(groups, weight_decay=DECAY)


class Run:
    """One training run: the network, its moving average and the optimiser, saved after each epoch."""

    def __init__(self, network, images, labels, checkpoint):
        self.network = network.to(memory_format=torch.channels_last)
        self.network.freeze(FROZEN_BLOCKS)
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.optimiser = optimiser_for(network)
        self.images, self.labels = images, torch.from_numpy(labels)
        self.weights = class_weights(labels)
        self.checkpoint = checkpoint
        self.epoch = 0

    def resume(self):
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint)
            self.epoch = state["epoch"]
            for name in ("network", "average", "optimiser"):
                getattr(self, name).load_state_dict(state[name])

    def save(self):
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        torch.save(parts | {"epoch": self.epoch}, self.checkpoint)

    def train(self):
        while self.epoch < EPOCHS:
            start = time.time()
            loss = self._epoch()
            self.epoch += 1
            self.save()
            print(f"epoch {self.epoch}/{EPOCHS} loss {loss:.4f} {time.time() - start:.0f} s", flush=True)

    def _epoch(self):
        generator = torch.Generator().manual_seed(SEED + self.epoch)
        torch.manual_seed(SEED + self.epoch)
        self.network.train()
        batches = torch.randperm(len(self.labels), generator=generator).split(BATCH)
        losses = []
        for step, batch in enumerate(batches):
            self._set_rate((self.epoch + step / len(batches)) / EPOCHS)
            x = vary(self.images[batch], side_at(self.epoch), generator).to(memory_format=torch.channels_last)
            losses.append(self._step(x, self.labels[batch]))
        return sum(losses) / len(losses)

    def _set_rate(self, progress):
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_at(progress)

    def _step(self, x, labels):
        loss = (F.cross_entropy(self.network(x), labels, reduction="none") * self.weights[labels]).mean()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - AVERAGE)
        return loss.item()

    def result(self):
        """The averaged network, its bias freed of the loss weights."""
        network = copy.deepcopy(self.average)
        network.head.bias.sub_(self.weights.log())
        return network


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    rows = pictures(args.dataset, "train", "val")
    if args.fold is not None:
        rows, _ = fold(rows, args.fold)
    torch.manual_seed(SEED)
    network = pretrained(args.weights, len(LABELS))
    run = Run(network, load(args.dataset, rows), labels_of(rows), args.output.with_suffix(".checkpoint"))
    run.resume()
    run.train()
    torch.save(run.result().state_dict(), args.output)


if __name__ == "__main__":
    main()
