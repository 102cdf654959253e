"""A torch network as the float ONNX graph that is quantized."""

import onnx
import torch

from dataset import SIDE

OPSET = 18


def export(network, path):
    """The float graph: input `input` 1×3×224×224, output `logits` with a score for each label."""
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
    onnx.save(without_traces(onnx.load(path)), path)


def without_traces(model):
    """The model without the exporter's notes, which hold the source lines and paths of the machine it ran on."""
    for part in [model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer]:
        del part.metadata_props[:]
        part.doc_string = ""
    for value in [*model.graph.input, *model.graph.output]:
        del value.metadata_props[:]
    return model
