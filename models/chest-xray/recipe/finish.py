"""Fine-tunes a trained network with fake quantization (quantization-aware training) and folds its BatchNorms.

    python3 models/chest-xray/recipe/finish.py DATASET TRAINED.pt -o FINISHED.pt [--fold N] [--threads N] [--pause FILE]

`models/recipe` must be on PYTHONPATH. The script reads the dataset and the weights that `train.py` wrote. It writes the
weights of a float network, which int8 represents exactly, and beside them (.json) the activation ranges for
`quantize.py`.

The ranges are chosen once, on training pictures, and stay the same while the network trains for half an epoch. Before
and after that, the BatchNorm statistics are estimated again with fake quantization.
"""

import json

import torch

from data import LABELS, augment, without_augmentation
from network import EfficientNetB0
from rounding import (
    activation_ranges,
    estimate_batchnorm,
    fake_quantize_activations,
    fake_quantize_weights,
    min_error_range,
    quantize_weights,
)
from train import SEED, Run, arguments, learn

CALIBRATION_PICTURES = 256  # half of them are augmented
CALIBRATION_BATCH = 16


class FinishingRun(Run):
    """Half an epoch at the side of the model. No block is frozen, because the first blocks are the most sensitive to int8."""

    phases = [(0.5, 224, 0)]
    rate = head_rate = 5e-5
    average_decay = 0.99

    def __init__(self, network, images, labels, checkpoint):
        super().__init__(network, images, labels, checkpoint)
        # `result` took the class weights out of the bias. They are put back, because the loss has them.
        for copy in (self.network, self.average):
            copy.head.bias.data.add_(self.weights.log())
            fake_quantize_weights(copy)
        ranges = self._ranges(checkpoint.with_suffix(".json"))
        for copy in (self.network, self.average):
            fake_quantize_activations(copy, ranges)

    def result(self):
        """The averaged network with folded BatchNorms and quantized weights, without the class weights in its bias."""
        network = super().result()
        estimate_batchnorm(network, self._calibration_batches())
        network.fold()
        quantize_weights(network)
        return network

    def _ranges(self, path):
        """The activation ranges in the file, which is written first if it does not exist."""
        if not path.exists():
            estimate_batchnorm(self.network, self._calibration_batches())
            ranges = activation_ranges(self.network, self._calibration_batches(), min_error_range)
            path.write_text(json.dumps(ranges, indent=1) + "\n")
        return json.loads(path.read_text())

    def _calibration_batches(self):
        """Batches of training pictures, the same at each call. The second half of them is augmented."""
        generator = torch.Generator().manual_seed(SEED)
        torch.manual_seed(SEED)
        chosen = torch.randperm(len(self.images), generator=generator)[:CALIBRATION_PICTURES].split(CALIBRATION_BATCH)
        half = len(chosen) // 2
        return [without_augmentation(self.images[batch]) for batch in chosen[:half]] + [
            augment(self.images[batch], 224, generator) for batch in chosen[half:]
        ]


def main():
    args = arguments("the .pt file that train.py wrote")
    network = EfficientNetB0(len(LABELS), dropout=0.0)
    network.load_state_dict(torch.load(args.weights))
    learn(args, FinishingRun, network)


if __name__ == "__main__":
    main()
