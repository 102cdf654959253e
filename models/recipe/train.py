"""Fine-tunes a network on the training pictures of a model: on all of them, or without those of one fold.

    python3 models/recipe/train.py DATA WEIGHTS -o TRAINED.pt [--fold PART] [--seed N] [--threads N]

The recipe of the model must be on PYTHONPATH, for its `data.py`, which has the labels, the pictures, their augmentation and
the schedule. DATA is the folder of all data sets. WEIGHTS are ImageNet's, of the network that is named. The script
writes the trained weights, with BatchNorms folded, and beside them a checkpoint every two minutes, from which an interrupted
run continues.

A network is trained once by each schedule, always from the same head, and the result is the mean of their weights: as good as
asking all of them, at the price of one (Wortsman et al. 2022, "Model soups", arXiv:2203.05482). Schedules are fixed and have no
early stopping, so that no picture is used for choosing a step. Rare labels have larger weights in the loss. After training, the
logarithm of a label's weight is subtracted from the bias of the head, so that the probabilities correspond to the shares of
the training pictures. What a schedule gives is the moving average of its weights.

`data.py` has:

- `LABELS`, `FOLDS`, `TRAINING_SPLITS`, `pictures(DATA, *splits)`: what is learned;
- `load(DATA, rows)`: those pictures as a tensor of bytes, N×channels×H×W;
- `beside_pictures(DATA)`: the rows of other pictures that are learned beside them;
- `besides(DATA, rows)`: what each batch has beside them, as a list of `Beside`: those, or parts of the rows' own;
- `augment(bytes, side, generator)`: a batch of bytes as the network's input;
- `NETWORK`, and `SCHEDULES`, each a `Schedule`.
"""

import argparse
import copy
import os
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
from dataset import fold, labels_of
from network import pretrained
from schedule import class_weights, rate_factor

SAVE_AFTER = 120  # seconds between checkpoints


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="folder of all data sets")
    parser.add_argument("weights", type=Path, help="ImageNet's weights of the network")
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the trained weights go (.pt)")
    parser.add_argument("--fold", help="hold this fold out, or COLUMN=START; without it, train on all pictures")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def save_whole(state, path):
    """Writes a file at once, so that an interruption leaves none that is half of one."""
    fresh = path.with_suffix(".fresh")
    torch.save(state, fresh)
    os.replace(fresh, path)


class Run:
    """One training run by one schedule: the network, its moving average and the optimiser."""

    def __init__(self, network, schedule, pictures, labels, besides, checkpoint, seed):
        self.schedule, self.seed, self.checkpoint = schedule, seed, checkpoint
        self.network = network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.optimiser = self._optimiser()
        self.pictures, self.labels, self.besides = pictures, torch.from_numpy(labels), besides
        self.weights = class_weights(labels, len(data.LABELS))
        self.counts = [round(beside.share * self.schedule.batch) for beside in besides]
        self.own = self.schedule.batch - sum(self.counts)
        self.step, self.losses, self.saved = 0, [], time.time()

    def _optimiser(self):
        self.network.learn(self.schedule.frozen_blocks)
        body = [p for p in self.network.blocks.parameters() if p.requires_grad]
        rates = ((body, self.schedule.rate), (list(self.network.head.parameters()), self.schedule.head_rate))
        groups = [{"params": parameters, "lr": rate, "peak": rate} for parameters, rate in rates]
        return torch.optim.AdamW(groups, weight_decay=self.schedule.decay)

    def resume(self):
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint)
            if state["of"] != self._identity():
                raise SystemExit(f"{self.checkpoint}: is of another schedule or of other pictures; remove it to begin anew")
            self.step = state["step"]
            for name in ("network", "average", "optimiser"):
                getattr(self, name).load_state_dict(state[name])

    def save(self):
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        save_whole(parts | {"step": self.step, "of": self._identity()}, self.checkpoint)
        self.saved = time.time()

    def _identity(self):
        """What a checkpoint must be of."""
        return f"{self.schedule} of {len(self.labels)} pictures, seed {self.seed}"

    def train(self):
        while self.step < self.schedule.steps:
            self._learn()
            self.step += 1
            if self.step % 200 == 0 or self.step == self.schedule.steps:
                print(f"step {self.step}/{self.schedule.steps} loss {sum(self.losses) / len(self.losses):.4f}", flush=True)
                self.losses = []
            if time.time() - self.saved > SAVE_AFTER:
                self.save()

    def _learn(self):
        """Trains one step. Its randomness depends on its number alone, so that a resumed run does the same."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.step)
        torch.manual_seed(self.seed * 1_000_003 + self.step)
        progress = self.step / self.schedule.steps
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_factor(progress)
        side = self.network.side if progress >= 1 - self.schedule.large else self.schedule.small
        pictures, targets, weights = self._batch(generator)
        x = data.augment(pictures, side, generator)
        if self.schedule.mixup:
            share, other = self._mixed(generator)
            x, targets, weights = (share * own + (1 - share) * own[other] for own in (x, targets, weights))
        scores = self.network(x.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(scores, targets, reduction="none", label_smoothing=self.schedule.smoothing)
        loss = (loss * weights).mean()
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self._update_average()
        self.losses.append(loss.item())

    def _mixed(self, generator):
        """(the share that stays of each picture, the pictures that the rest comes from) of this step."""
        share = np.random.default_rng([self.seed, self.step]).beta(self.schedule.mixup, self.schedule.mixup)
        return float(share), torch.randperm(self.schedule.batch, generator=generator)

    def _batch(self, generator):
        """(pictures of bytes, targets, weights) of this step."""
        epoch, at = divmod(self.step * self.own, len(self.labels) // self.own * self.own)
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(self.seed * 7919 + epoch))
        own = order[at : at + self.own]
        labels = self.labels[own]
        pictures, weights = [self.pictures[own]], [self.weights[labels]]
        targets = [F.one_hot(labels, len(data.LABELS)).float()]
        for beside, count in zip(self.besides, self.counts, strict=True):
            drawn = torch.randint(len(beside.pictures), (count,), generator=generator)
            pictures.append(beside.pictures[drawn])
            targets.append(beside.targets[drawn])
            weights.append(beside.weight * (beside.targets[drawn] @ self.weights))
        return torch.cat(pictures), torch.cat(targets), torch.cat(weights)

    @torch.no_grad()
    def _update_average(self):
        now = self.network.state_dict()
        share = 1 - min(self.schedule.average_decay, self.step / (self.step + 10))
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], share)

    def result(self):
        """The averaged network, with BatchNorms folded and the label weights of the loss taken out of the bias."""
        network = copy.deepcopy(self.average).fold()
        network.head.bias.sub_(self.weights.log())
        return network


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rows = data.pictures(args.data, *data.TRAINING_SPLITS)
    if args.fold is not None:
        rows, _ = fold(rows, args.fold, data.FOLDS)
    network = pretrained(data.NETWORK, args.weights, len(data.LABELS))
    pictures, besides = data.load(args.data, rows), data.besides(args.data, rows)
    parts = [args.output.with_suffix(f".{index}.pt") for index in range(len(data.SCHEDULES))]
    for index, (schedule, part) in enumerate(zip(data.SCHEDULES, parts, strict=True)):
        if part.exists():
            continue
        checkpoint = part.with_suffix(".checkpoint")
        beside = besides if schedule.besides else []
        seed = args.seed + index
        run = Run(copy.deepcopy(network), schedule, pictures, labels_of(rows), beside, checkpoint, seed)
        run.resume()
        run.train()
        save_whole(run.result().state_dict(), part)
        checkpoint.unlink(missing_ok=True)
    save_whole(mean([torch.load(part) for part in parts]), args.output)
    for part in parts:
        part.unlink()


def mean(states):
    """The mean of the weights of networks that were trained from one head."""
    return {name: torch.stack([state[name] for state in states]).mean(0) for name in states[0]}


if __name__ == "__main__":
    main()
