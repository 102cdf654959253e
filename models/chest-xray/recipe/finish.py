"""Takes a trained network into rounded arithmetic: ranges chosen, half an epoch learned with rounding, BatchNorm folded.

The ranges are chosen once, on training pictures, and stay: the weights learn to live within them. Before and after,
BatchNorm's statistics are taken anew in rounded arithmetic. What this step leaves is a network for exact arithmetic,
its weights already on int8's grid, and beside it (.json) the ranges with which `quantize.py` makes it int8.
"""

import json

import torch

from data import LABELS, plain, vary
from network import EfficientNetB0
from rounding import best, put_on_grid, ranges, round_activations, round_weights, settle
from train import SEED, Run, arguments, learn

OBSERVED = 256  # pictures, half of them varied
OBSERVED_BATCH = 16


class FinishingRun(Run):
    """Half an epoch at the size that the model is used at; every block learns, for the first are the hardest to round."""

    programme = [(0.5, 224, 0)]
    rate = head_rate = 5e-5
    averaging = 0.99

    def __init__(self, network, images, labels, checkpoint):
        super().__init__(network, images, labels, checkpoint)
        # Undoes what `result` did to the weights that this run starts from.
        for one in (self.network, self.average):
            one.head.bias.data.add_(self.weights.log())
            round_weights(one)
        chosen = self._ranges(checkpoint.with_suffix(".json"))
        for one in (self.network, self.average):
            round_activations(one, chosen)

    def result(self):
        """The averaged network, folded; its bias freed of the loss weights."""
        network = super().result()
        settle(network, self._observed())
        network.fold()
        put_on_grid(network)
        return network

    def _ranges(self, path):
        if not path.exists():
            settle(self.network, self._observed())
            chosen = ranges(self.network, self._observed(), best)
            path.write_text(json.dumps(chosen, indent=1) + "\n")
        return json.loads(path.read_text())

    def _observed(self):
        generator = torch.Generator().manual_seed(SEED)
        torch.manual_seed(SEED)
        chosen = torch.randperm(len(self.images), generator=generator)[:OBSERVED].split(OBSERVED_BATCH)
        half = len(chosen) // 2
        return [plain(self.images[batch]) for batch in chosen[:half]] + [
            vary(self.images[batch], 224, generator) for batch in chosen[half:]
        ]


def main():
    args = arguments("the .pt file that train.py wrote")
    network = EfficientNetB0(len(LABELS), dropout=0.0)
    network.load_state_dict(torch.load(args.weights))
    learn(args, FinishingRun, network)


if __name__ == "__main__":
    main()
