"""Caches pooled features, logits and quality measures of a graph over sets of pictures, for `explore.py`.

    python benches/novelty/features.py GRAPH SET[@VARIANT] ... --data DIR -o DIR

A feature is the mean over space of each channel of a tensor, taken after its DequantizeLinear where the graph is in
int8. The means are appended to the graph and computed by ONNX Runtime in its exact mode. DIR holds the data sets
unpacked. A SET is one of `SETS` below. A VARIANT changes every picture first:

- `256q75` brings it to 256×256 pixels, stretched, and to JPEG quality 75, 4:2:0; other numbers likewise;
- `copyN` saves it at a side of 144 to 256 and a quality of 60 to 95, drawn for each picture;
- `toneN` changes its gamma, gain and colour balance a little besides;
- `sharpN` sharpens it by an unsharp mask at 256 pixels, quality 80 to 95.

Of data sets with a test split only train is read (and val of ISIC 2017, which the shipped network learned from). Each
set gives one .npz file. Files that exist are kept.
"""

import argparse
import csv
import io
import pathlib
import sys
import time

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from PIL import Image, ImageFilter

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "quality"))
from measure import SIDE, absolute, digest, luma, percentile  # noqa: E402

# Tensors by the architecture, from early to late. All but the last are candidates for a second tap.
MOBILENET = ["hardtanh", "hardtanh_1", "conv2d_2", "hardtanh_3", "add", "hardtanh_5", "hardtanh_7", "add_2",
             "hardtanh_13", "add_5", "hardtanh_21", "add_7", "hardtanh_29", "add_9", "conv2d_50", "view"]
EFFICIENTNET = ["silu", "mean", "conv2d_4", "mean_1", "mean_2", "add", "mean_3", "mean_4", "add_1", "mean_5",
                "mean_7", "add_3", "mean_9", "add_5", "mean_11", "mean_13", "add_8", "mean_15", "conv2d_79", "view"]


def jpeg(picture, quality):
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return Image.open(file).convert("RGB")


def brought_to(picture, variant, file):
    """The picture as a variant of it, see above."""
    if not variant:
        return picture
    if not variant.startswith(("copy", "tone", "sharp")):
        side, quality = map(int, variant.split("q"))
        return jpeg(picture.resize((side, side), Image.BILINEAR), quality)
    rng = np.random.default_rng(int(digest(f"{variant} {file}")[:12], 16))
    side, quality = rng.integers(144, 257), rng.integers(60, 96)
    if variant.startswith("sharp"):
        side, quality = 256, rng.integers(80, 96)
    picture = picture.resize((side, side), Image.BILINEAR)
    if variant.startswith("sharp"):
        picture = picture.filter(ImageFilter.UnsharpMask(rng.uniform(0.6, 1.6), int(rng.integers(30, 160)), 0))
    if variant.startswith("tone"):
        gamma, gain = np.exp(rng.uniform(-0.2, 0.2)), np.exp(rng.uniform(-0.15, 0.15))
        values = 255 * (np.asarray(picture) / 255) ** gamma * gain
        if np.ptp(np.asarray(picture), axis=2).any():  # a grey picture stays grey
            values = values * rng.uniform(0.95, 1.05, 3)
        picture = image(values)
    return jpeg(picture, int(quality))


def rows(data, name, splits=("train",)):
    """The rows of a data set, in an order that doesn't depend on the file names' order."""
    with open(data / name / "labels.csv", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["split"] in splits]
    return sorted(found, key=lambda row: digest(row["file"]))


def of_files(name, splits=("train",), count=None, change=None):
    """A set of a data set's pictures, each changed by `change`: (label, group, file, picture)."""
    def pictures(data):
        for row in rows(data, name, splits)[:count]:
            picture = Image.open(data / name / row["file"]).convert("RGB")
            yield row["label"], row["group"], row["file"], change(picture) if change else picture
    return pictures


def held_out(change):
    """The chest films that the shipped network was not fine-tuned on (fold 0 of its recipe), changed."""
    def pictures(data):
        sys.path.insert(0, str(pathlib.Path(__file__).parent.parent.parent / "models" / "recipe"))
        import dataset
        labels = ["normal", "bacterial_pneumonia", "viral_pneumonia"]
        _, kept = dataset.fold(dataset.pictures(labels, data / "kermany_cxr", "train"), 0, 5)
        for row in sorted(kept, key=lambda row: digest(row.file)):
            picture = Image.open(data / "kermany_cxr" / row.file).convert("RGB")
            yield labels[row.label], row.group, row.file, change(picture)
    return pictures


def image(values):
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def blank(_data):
    """Flat greys and colours, and flat gradients between two of them, in eight directions."""
    rng = np.random.default_rng(20261129)
    for level in range(0, 256, 15):
        yield "grey", str(level), f"grey {level}", image(np.full((256, 256, 3), level))
    for k in range(30):
        color = rng.uniform(0, 255, 3)
        yield "color", str(k), f"color {k}", image(np.broadcast_to(color, (256, 256, 3)))
    y, x = np.mgrid[:256, :256] / 255
    for k in range(48):
        angle = k * np.pi / 4
        ramp = x * np.cos(angle) + y * np.sin(angle)
        ramp = ((ramp - ramp.min()) / np.ptp(ramp))[..., None]
        a, b = rng.uniform(0, 255, (2, 3))
        if k % 2:
            a, b = a.mean().repeat(3), b.mean().repeat(3)
        yield f"gradient_{'grey' if k % 2 else 'color'}", str(k), f"gradient {k}", image(a + (b - a) * ramp)


def noise(_data):
    """Uniform and Gaussian noise at several scales and strengths, grey and coloured."""
    rng = np.random.default_rng(20261130)
    for k in range(144):
        scale = (1, 2, 4, 8, 16, 32)[k % 6]
        color, gauss, strength = k // 6 % 2, k // 12 % 2, (16, 40, 80)[k // 24 % 3]
        shape = (256 // scale, 256 // scale, 3 if color else 1)
        values = rng.normal(0, strength, shape) if gauss else rng.uniform(-1, 1, shape) * strength * 3 ** 0.5
        values = np.broadcast_to(values, (*shape[:2], 3)) + rng.uniform(96, 160, 3 if color else 1)
        grown = image(values).resize((256, 256), (Image.NEAREST, Image.BICUBIC)[k // 72])
        yield f"noise_{'color' if color else 'grey'}", str(k), f"noise {k} scale {scale} strength {strength}", grown


def turned(quarters):
    return held_out(lambda picture: picture.rotate(90 * quarters))


SETS = {
    "isic": of_files("isic2017", ("train", "val")),
    "isic_some": of_files("isic2017", ("train", "val"), 500),
    "cxr": of_files("kermany_cxr"),
    "cxr_held": held_out(lambda picture: picture),
    "cxr_some": of_files("kermany_cxr", count=500),
    "foreign": of_files("foreign"),
    "busi": of_files("busi"),
    "bus_bra": of_files("bus_bra", count=467),
    "pad_ufes": of_files("pad_ufes"),
    "adult_cxr": of_files("adult_cxr"),
    "blank": blank,
    "noise": noise,
    "rot90": turned(1), "rot180": turned(2), "rot270": turned(3),
    "negative": held_out(lambda picture: Image.eval(picture, lambda v: 255 - v)),
}


def without_quantization(model):
    """Takes the pairs QuantizeLinear, DequantizeLinear of activations out of a graph: the float graph of the same weights.

    Only for graphs whose activation functions are operators: a ReLU6 that is the range of a QuantizeLinear would be lost.
    """
    quantize = {node.output[0]: node.input[0] for node in model.graph.node if node.op_type == "QuantizeLinear"}
    same = {node.output[0]: quantize[node.input[0]] for node in model.graph.node
            if node.op_type == "DequantizeLinear" and node.input[0] in quantize}
    kept = [node for node in model.graph.node if node.output[0] not in quantize and node.output[0] not in same]
    for node in kept:
        node.input[:] = [same.get(name, name) for name in node.input]
    del model.graph.node[:]
    model.graph.node.extend(kept)


def tapped(graph, names, dequantize=False):
    """The graph with the spatial mean of each named tensor as one more output, `tap/NAME`."""
    model = onnx.load(graph)
    if dequantize:
        without_quantization(model)
    made = {output for node in model.graph.node for output in node.output}
    for name in names:
        tensor = f"{name}_DequantizeLinear_Output" if f"{name}_DequantizeLinear_Output" in made else name
        assert tensor in made, f"{graph}: no tensor {tensor}"
        if name.startswith(("mean", "view")):  # pooled already
            model.graph.node.append(helper.make_node("Identity", [tensor], [f"tap/{name}"]))
        else:
            model.graph.node.append(helper.make_node("ReduceMean", [tensor], [f"tap/{name}"], axes=[2, 3], keepdims=1))
        model.graph.output.append(helper.make_tensor_value_info(f"tap/{name}", TensorProto.FLOAT, None))
    if model.opset_import[0].version >= 18:  # axes are an input from opset 18 on
        for node in model.graph.node:
            if node.op_type == "ReduceMean" and node.output[0].startswith("tap/"):
                del node.attribute[0]
                node.input.append("tap/axes")
        model.graph.initializer.append(helper.make_tensor("tap/axes", TensorProto.INT64, [2], [2, 3]))
    return model


def session(model):
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.intra_op_num_threads = 1
    options.log_severity_level = 3  # leave out the notes on initializers that are not used
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def quality(rgb):
    """The measures that `docs/notes/2026-11-quality.md` recommends, by name, and both shares of chroma."""
    y = luma(rgb)
    half = y.reshape(SIDE // 2, 2, SIDE // 2, 2).sum((1, 3))[SIDE // 8:-SIDE // 8, SIDE // 8:-SIDE // 8]
    counts = np.bincount(y.ravel(), minlength=256)
    chroma = rgb.max(2).astype(int) - rgb.min(2)
    return [absolute(half / 4, 2), 1 - percentile(counts, 0.95) / 255, counts[250:].sum() / y.size, y.std() / 127.5,
            float((chroma >= 24).mean()), float((chroma >= 8).mean())]


def cache(run, names, pictures, variant, path):
    meta, features, logits, measured = [], {name: [] for name in names}, [], []
    for label, group, file, picture in pictures:
        picture = brought_to(picture, variant, file)
        rgb = np.asarray(picture.resize((SIDE, SIDE), Image.BILINEAR))
        x = np.ascontiguousarray(((rgb.astype(np.float32) - 128) / 128).transpose(2, 0, 1)[None])
        out = run.run(["logits", *(f"tap/{name}" for name in names)], {"input": x})
        logits.append(out[0].ravel())
        for name, values in zip(names, out[1:], strict=True):
            features[name].append(values.ravel())
        measured.append(quality(rgb))
        meta.append((label, group, file))
    labels, groups, files = (np.array(column) for column in zip(*meta))
    np.savez(path, label=labels, group=groups, picture=files, logits=np.stack(logits), quality=np.array(measured),
             **{f"tap/{name}": np.stack(values) for name, values in features.items()})
    return len(meta)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("graph", type=pathlib.Path)
    parser.add_argument("sets", nargs="+")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True)
    parser.add_argument("--dequantize", action="store_true", help="run the graph in float; see without_quantization")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    ops = {node.op_type for node in onnx.load(args.graph).graph.node}
    names = EFFICIENTNET if "Sigmoid" in ops else MOBILENET
    run = session(tapped(args.graph, names, args.dequantize))
    for name in args.sets:
        path = args.output / f"{name}.npz"
        if path.exists():
            continue
        start = time.time()
        base, _, variant = name.partition("@")
        count = cache(run, names, SETS[base](args.data), variant, path)
        print(f"{name}: {count} pictures, {time.time() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
