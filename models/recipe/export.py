"""Exports a torch network as a float ONNX graph. The recipes import this module and quantize the graph."""

import onnx
import torch

from dataset import SIDE

OPSET = 18


def export(network, path):
    """Writes the float graph with the input `input`, 1×3×224×224, and the output `logits`, 1×labels."""
    torch.onnx.export(
        network.eval(),
        (torch.zeros(1, 3, SIDE, SIDE),),
        path,
        input_names=["input"],
        output_names=["logits"],
        opset_version=OPSET,
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    onnx.save(without_exporter_metadata(onnx.load(path)), path)


def without_exporter_metadata(model):
    """The model without the metadata of the exporter, which holds source lines and paths of the exporting machine."""
    for part in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer]:
        del part.metadata_props[:]
        part.doc_string = ""
    for value in [*model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    return model
