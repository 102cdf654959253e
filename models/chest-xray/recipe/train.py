"""Fine-tunes EfficientNet-B0 on Kermany's train split: on one cross-validation fold, or on all pictures.

    python3 models/chest-xray/recipe/train.py DATASET WEIGHTS.pth -o TRAINED.pt [--fold N] [--threads N] [--pause FILE]

`models/recipe` must be on PYTHONPATH. The script reads the dataset and Lite0's weights. It writes the trained weights
and, beside them, a checkpoint every two minutes. An interrupted run continues from its checkpoint. `finish.py` then
trains the network with fake quantization.

The schedule is fixed and has no early stopping, so that no picture is used for choosing a step. Rare classes have
larger weights in the loss. After training, the logarithm of a class's weight is subtracted from the bias of the head,
so that the probabilities correspond to the class shares of the training pictures. The result is the moving average of
the weights.
"""

import argparse
import copy
import itertools
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from data import FOLDS, LABELS, load, pictures, augment
from dataset import fold, labels_of
from schedule import class_weights, rate_factor
from start import pretrained

SEED = 20261123
SAVE_AFTER = 120  # seconds between checkpoints


def arguments(weights_help):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("dataset", type=Path, help="folder with labels.csv and the pictures")
    parser.add_argument("weights", type=Path, help=weights_help)
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the trained weights go (.pt)")
    parser.add_argument("--fold", type=int, help="hold this fold out; without it, train on all pictures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pause", type=Path, help="sleep while this file exists")
    return parser.parse_args()


class Run:
    """One training run: the network, its moving average and the optimiser."""

    # (epochs, side, number of frozen blocks)
    phases = [(2, 160, 0), (2, 160, 3), (1, 224, 3)]
    batch = 16
    rate, head_rate, decay = 3e-4, 1e-3, 0.02
    average_decay = 0.997

    def __init__(self, network, images, labels, checkpoint):
        self.network = network.to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(network).eval().requires_grad_(False)
        self.optimiser = self._optimiser()
        self.images, self.labels = images, torch.from_numpy(labels)
        self.weights = class_weights(labels, len(LABELS))
        self.checkpoint = checkpoint
        self.pause = None
        self.step, self.losses, self.saved = 0, [], time.time()
        self.steps_an_epoch = -(-len(labels) // self.batch)
        self.steps = int(self.steps_an_epoch * sum(epochs for epochs, *_ in self.phases))

    def _optimiser(self):
        head = list(self.network.head.parameters())
        body = list(self.network.blocks.parameters())
        rates = ((body, self.rate), (head, self.head_rate))
        groups = [{"params": parameters, "lr": rate, "peak": rate} for parameters, rate in rates]
        return torch.optim.AdamW(groups, weight_decay=self.decay)

    def resume(self):
        if self.checkpoint.exists():
            state = torch.load(self.checkpoint)
            self.step, self.losses = state["step"], state["losses"]
            for name in ("network", "average", "optimiser"):
                getattr(self, name).load_state_dict(state[name])

    def save(self):
        parts = {name: getattr(self, name).state_dict() for name in ("network", "average", "optimiser")}
        fresh = self.checkpoint.with_suffix(".fresh")
        torch.save(parts | {"step": self.step, "losses": self.losses}, fresh)
        fresh.replace(self.checkpoint)
        self.saved = time.time()

    def train(self):
        while self.step < self.steps:
            self._wait()
            self._learn()
            self.step += 1
            if self.step % self.steps_an_epoch == 0 or self.step == self.steps:
                self._report()
            if time.time() - self.saved > SAVE_AFTER or self.step == self.steps:
                self.save()

    def _wait(self):
        while self.pause is not None and self.pause.exists():
            time.sleep(2)

    def _report(self):
        mean = sum(self.losses) / len(self.losses)
        print(f"{time.strftime('%H:%M:%S')} step {self.step}/{self.steps} loss {mean:.4f} "
              f"{time.process_time():.0f} s of processor time", flush=True)
        self.losses = []

    def _learn(self):
        """Trains one step. Its randomness depends on its number alone, so that a resumed run does the same."""
        generator = torch.Generator().manual_seed(SEED + self.step)
        torch.manual_seed(SEED + self.step)
        side = self._begin_step()
        chosen = self._batch()
        x = augment(self.images[chosen], side, generator).contiguous(memory_format=torch.channels_last)
        loss = self._loss(x, self.labels[chosen])
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self._update_average()
        self.losses.append(loss.item())

    def _begin_step(self):
        """Sets the learning rate and the frozen blocks of this step, and returns its side."""
        progress = self.step / self.steps
        for group in self.optimiser.param_groups:
            group["lr"] = group["peak"] * rate_factor(progress)
        side, frozen = self._phase()
        self.network.train()
        self.network.freeze(frozen)
        return side

    def _phase(self):
        """(side, frozen blocks) of this step."""
        ends = itertools.accumulate(epochs * self.steps_an_epoch for epochs, *_ in self.phases)
        return next(phase for end, (_, *phase) in zip(ends, self.phases, strict=True) if self.step < end)

    def _batch(self):
        """The indices of the pictures of this step."""
        epoch, at = divmod(self.step, self.steps_an_epoch)
        order = torch.randperm(len(self.labels), generator=torch.Generator().manual_seed(SEED + epoch))
        return order[at * self.batch : (at + 1) * self.batch]

    def _loss(self, x, labels):
        return (F.cross_entropy(self.network(x), labels, reduction="none") * self.weights[labels]).mean()

    @torch.no_grad()
    def _update_average(self):
        """Updates the moving average of the weights and of the BatchNorm statistics."""
        now = self.network.state_dict()
        for name, mean in self.average.state_dict().items():
            if mean.is_floating_point():
                mean.lerp_(now[name], 1 - min(self.average_decay, self.step / (self.step + 10)))

    def result(self):
        """The averaged network, with the class weights of the loss taken out of the bias."""
        network = copy.deepcopy(self.average)
        network.head.bias.sub_(self.weights.log())
        return network


def learn(args, kind, network):
    """Trains to the end, from the last checkpoint if there is one, and writes the weights of the result."""
    torch.set_num_threads(args.threads)
    rows = pictures(args.dataset, "train")
    if args.fold is not None:
        rows, _ = fold(rows, args.fold, FOLDS)
    run = kind(network, load(args.dataset, rows), labels_of(rows), args.output.with_suffix(".checkpoint"))
    run.pause = args.pause
    run.resume()
    run.train()
    torch.save(run.result().state_dict(), args.output)


def main():
    args = arguments("efficientnet-lite0-57934424.pth")
    torch.manual_seed(SEED)
    learn(args, Run, pretrained(args.weights, len(LABELS)))


if __name__ == "__main__":
    main()
