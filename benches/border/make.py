"""Writes tiny.onnx, the model of the border benchmark, beside this file.

    pip install onnx==1.23.2 && python make.py

It reads nothing. The model gives the mean of each channel of an 8×8 picture, three numbers, and carries a manifest. It
takes so little time that a classification with it measures the calls across the border.
"""

import json
import pathlib

import onnx
from onnx import TensorProto, helper

MANIFEST = {
    "bedside": "1.0", "kind": "scores", "name": "tiny", "version": "1.0.0", "license": "MIT OR Apache-2.0",
    "input": {"color": "rgb", "width": 8, "height": 8, "resize": {"policy": "stretch"}, "mean": [0.5, 0.5, 0.5],
              "std": [0.5, 0.5, 0.5]},
    "output": {"activation": "softmax", "labels": [
        {"id": "red", "name": {"en": "Red"}}, {"id": "green", "name": {"en": "Green"}},
        {"id": "blue", "name": {"en": "Blue"}}]},
}


def main():
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, 8, 8])
    scores = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 3])
    mean = helper.make_node("ReduceMean", ["input"], ["logits"], axes=[2, 3], keepdims=0)
    graph = helper.make_graph([mean], "tiny", [picture], [scores])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"bedside": json.dumps(MANIFEST)})
    onnx.save(model, pathlib.Path(__file__).parent / "tiny.onnx")


if __name__ == "__main__":
    main()
