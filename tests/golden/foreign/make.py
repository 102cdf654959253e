"""Makes the files of this folder: models that are no ONNX, where it can by the tool that people make them with, as small as it does.

    pip install -r requirements.txt && KERAS_BACKEND=torch python make.py

`cases.json` has, for each file, the words that the refusal must have. TensorFlow is large: `net.tflite` is written with its schema
alone, and `saved_model.pb` and `frozen.pb` are encoded by hand from its `saved_model.proto` and `graph.proto`.
"""

import gzip
import json
import pathlib
import zipfile

import coremltools
import flatbuffers
import keras
import onnxruntime
import safetensors.torch
import tflite
import torch

HERE = pathlib.Path(__file__).parent
ONNX = HERE.parent / "graphs" / "class-index.onnx"


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)


def by_torch():
    net = Net().eval()
    torch.jit.script(net).save(HERE / "torchscript.pt")
    torch.save(net.state_dict(), HERE / "state_dict.pth")
    torch.save(net.state_dict(), HERE / "legacy.pth", _use_new_zipfile_serialization=False)
    torch.export.save(torch.export.export(net, (torch.zeros(1, 2),)), HERE / "exported.pt2")
    safetensors.torch.save_file(net.state_dict(), HERE / "weights.safetensors")


def by_keras():
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    net.save(HERE / "net.keras")
    net.save(HERE / "net.h5")


def by_onnxruntime():
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(HERE / "net.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(str(ONNX), options, providers=["CPUExecutionProvider"])


def by_tflite():
    builder = flatbuffers.Builder()
    description = builder.CreateString("nothing")
    tflite.ModelStart(builder)
    tflite.ModelAddVersion(builder, 3)
    tflite.ModelAddDescription(builder, description)
    builder.Finish(tflite.ModelEnd(builder), b"TFL3")
    (HERE / "net.tflite").write_bytes(builder.Output())


def by_coremltools():
    spec = coremltools.proto.Model_pb2.Model()
    spec.specificationVersion = 4
    for name, put in (("in", spec.description.input.add()), ("out", spec.description.output.add())):
        put.name = name
        put.type.multiArrayType.shape.append(2)
        put.type.multiArrayType.dataType = coremltools.proto.FeatureTypes_pb2.ArrayFeatureType.FLOAT32
    layer = spec.neuralNetwork.layers.add()
    layer.name, layer.input[:], layer.output[:] = "layer", ["in"], ["out"]
    layer.activation.ReLU.SetInParent()
    coremltools.utils.save_spec(spec, str(HERE / "net.mlmodel"))


def by_hand():
    whole = ONNX.read_bytes()
    (HERE / "cut.onnx").write_bytes(whole[: len(whole) // 2])
    (HERE / "empty.onnx").write_bytes(b"")
    (HERE / "page.onnx").write_text("<!DOCTYPE html>\n<html><title>Sign in</title></html>\n")
    oid = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    (HERE / "pointer.onnx").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 12345\n")
    with gzip.GzipFile(HERE / "net.onnx.gz", "wb", mtime=0) as file:
        file.write(whole)
    moment = (1980, 1, 1, 0, 0, 0)
    for name, inside in (("net.zip", "folder/net.onnx"), ("text.zip", "readme.txt")):
        with zipfile.ZipFile(HERE / name, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr(zipfile.ZipInfo(inside, moment), whole if inside.endswith("onnx") else b"text")
    # `SavedModel`: saved_model_schema_version = 1 is 1, meta_graphs = 2 has three bytes.
    (HERE / "saved_model").mkdir(exist_ok=True)
    (HERE / "saved_model" / "saved_model.pb").write_bytes(bytes([0x08, 1, 0x12, 3, 0x0A, 1, ord("a")]))
    # `GraphDef`: node = 1 has name = 1 "x" and op = 2 "Placeholder"; versions = 4 has producer = 1.
    node = b"\x0a\x01x\x12\x0bPlaceholder"
    (HERE / "frozen.pb").write_bytes(b"\x0a" + bytes([len(node)]) + node + b"\x22\x02\x08\x01")
    return len(whole)


def main():
    by_torch()
    by_keras()
    by_onnxruntime()
    by_tflite()
    by_coremltools()
    size = by_hand()
    cases = {
        "torchscript.pt": ["TorchScript", "torch.onnx.export"],
        "state_dict.pth": ["PyTorch", "torch.onnx.export"],
        "legacy.pth": ["PyTorch", "torch.onnx.export"],
        "exported.pt2": ["torch.export", "torch.onnx.export"],
        "weights.safetensors": ["safetensors", "export"],
        "net.keras": ["Keras", "tf2onnx"],
        "net.h5": ["HDF5", "Keras", "tf2onnx"],
        "net.ort": ["ONNX Runtime", ".ort", ".onnx"],
        "net.tflite": ["TensorFlow Lite", "tf2onnx"],
        "net.mlmodel": ["Core ML"],
        "cut.onnx": [f"ends at byte {size // 2} of ", "again"],
        "empty.onnx": ["empty"],
        "page.onnx": ["web page"],
        "pointer.onnx": ["Git LFS", "git lfs pull"],
        "net.onnx.gz": ["gzip", "unpack"],
        "net.zip": ["zip", "unpack", "folder/net.onnx"],
        "text.zip": ["zip", "unpack"],
        "saved_model/saved_model.pb": ["SavedModel", "tf2onnx"],
        "saved_model": ["SavedModel", "tf2onnx"],
        "frozen.pb": ["TensorFlow graph", "tf2onnx"],
    }
    (HERE / "cases.json").write_text(json.dumps(cases, indent=1) + "\n")
    for path in sorted(HERE.rglob("*")):
        if path.is_file():
            print(path.relative_to(HERE), path.stat().st_size)


if __name__ == "__main__":
    main()
