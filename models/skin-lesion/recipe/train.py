"""Fine-tunes MobileNetV2 on the train and val splits of ISIC 2017: on one cross-validation fold, or on all pictures.

    python3 models/skin-lesion/recipe/train.py DATASET WEIGHTS.onnx -o TRAINED.pt [--fold N] [--threads N]

`models/recipe` must be on PYTHONPATH. The script reads the dataset and the ImageNet graph. It writes the trained
weights and, beside them, a checkpoint after each epoch. An interrupted run continues from its checkpoint.

The schedule is fixed and has no early stopping, so that no picture is used for choosing an epoch. Rare classes have
larger weights in the loss. After training, the logarithm of a class's weight is subtracted from the bias of the head,
so that the probabilities correspond to the class shares of the training pictures. The result is the moving average of
the weights.
"""

import argparse
import copy
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from data import FOLDS, LABELS, load, pictures, augment
from dataset import fold, labels_of
from network import pretrained
from schedule import class_weights, rate_factor

SEED = 20261123


def arguments(weights_help):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and images/")
    parser.add_argument("weights", type=Path, help=weights_help)
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the trained weights go (.pt)")
    parser.add_argument("--fold", type=int, help="hold this fold out; without it, train on all pictures")
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


class Run:
    """One training run: the network, its moving average and the optimiser. It is saved after each epoch."""

    # (epochs, side). The smaller side takes half of the time, and the last one is that of the model.
    phases = [(10, 160), (5, 224)]
    batch = 16
    rate, head_rate, decay = 2e-4, 1e-3, 0.02
    frozen_blocks = 4
    average_decay = 0.998

    def __init__(self, network, images, labels, checkpoint):
        self.network = network.to(memory_format=torch.channels_last)
        self.network.freeze(self.frozen_blocks)
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.optimiser = self._optimiser()
        self.images, self.labels = images, torch.from_numpy(labels)
        self.weights = class_weights(labels, len(LABELS))
        self.checkpoint = checkpoint
        self.epoch = 0
        self.epochs = sum(epochs for epochs, _ in self.phases)

    def _optimiser(self):
        head = list(self.network.head.parameters())
        body = [p for p in self.network.blocks.parameters() if p.requires_grad]
        rates = ((body, self.rate), (head, self.head_rate))
        groups = [{"params": parameters, "lr": rate, "peak": rate} for parameters, rate in rates]
        return torch.optim.AdamW(groups, weight_decay=self.decay)

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
        while self.epoch < self.epochs:
            start = time.time()
            loss = self._epoch()
            self.epoch += 1
            self.save()
            print(f"epoch {self.epoch}/{self.epochs} loss {loss:.4f} {time.time() - start:.0f} s", flush=True)

    def _epoch(self):
        generator = torch.Generator().manual_seed(SEED + self.epoch)
        torch.manual_seed(SEED + self.epoch)
        self.network.train()
        batches = torch.randperm(len(self.labels), generator=generator).split(self.batch)
        side = self._side()
        losses = []
        for step, batch in enumerate(batches):
            self._set_rate((self.epoch + step / len(batches)) / self.epochs)
            x = augment(self.images[batch], side, generator).to(memory_format=torch.channels_last)
            losses.append(self._step(x, self.labels[batch]))
        return sum(losses) / len(losses)

    def _side(self):
        sides = [side for epochs, side in self.phases for _ in range(epochs)]
        return sides[self.epoch]

    def _set_rate(self, progress):
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_factor(progress)

    def _step(self, x, labels):
        loss = self._loss(x, labels)
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - self.average_decay)
        return loss.item()

    def _loss(self, x, labels):
        return (F.cross_entropy(self.network(x), labels, reduction="none") * self.weights[labels]).mean()

    def result(self):
        """The averaged network, with the class weights of the loss taken out of the bias."""
        network = copy.deepcopy(self.average)
        network.head.bias.sub_(self.weights.log())
        return network


def learn(args, network, kind):
    """Trains to the end, from the last checkpoint if there is one, and writes the weights of the result."""
    torch.set_num_threads(args.threads)
    rows = pictures(args.dataset, "train", "val")
    if args.fold is not None:
        rows, _ = fold(rows, args.fold, FOLDS)
    run = kind(network, load(args.dataset, rows), labels_of(rows), args.output.with_suffix(".checkpoint"))
    run.resume()
    run.train()
    torch.save(run.result().state_dict(), args.output)


def main():
    args = arguments("mobilenet_v2_1.0_224_float.onnx")
    torch.manual_seed(SEED)
    learn(args, pretrained(args.weights, len(LABELS)), Run)


if __name__ == "__main__":
    main()
