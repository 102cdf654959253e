"""Writes the node tests of the ONNX standard for the operators of quantized networks as test vectors.

    pip install -r ../graphs/requirements.txt
    python backend.py backend.bin

The file has the format that `generate.py` describes. The package `onnx` makes the tests with their expected outputs
(`onnx.backend.test.case.node`, Apache-2.0). The engine takes one float input and gives floats. So the first input of a
test is cast from floats, the other inputs become initializers, and the outputs are cast to floats. The operator itself
is unchanged.

A record without outputs is a test that the engine must refuse with an error.
"""

import re
import struct
import sys
import warnings

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test.case.node import collect_testcases

OPERATORS = set("""
    Add AveragePool BatchNormalization Clip Concat Conv ConvInteger DequantizeLinear DynamicQuantizeLinear Flatten Gemm
    GlobalAveragePool GlobalMaxPool HardSigmoid HardSwish LeakyRelu MatMul MatMulInteger MaxPool Mul Pad QLinearConv
    QLinearMatMul QuantizeLinear ReduceMean Relu Reshape Sigmoid Softmax Squeeze Tanh Transpose Unsqueeze
""".split())

# The element types of the first input and of the outputs that can be cast.
SERVED_TYPES = {np.dtype(np.float32), np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.int32)}

# What the engine refuses, because networks that classify pictures do not have it: training, weights quantized in blocks,
# padding by the opposite edge, and the product of two vectors.
NOT_SERVED = re.compile("training_mode|blocked|wrap_pad|matmul_1d_1d")


def case(test):
    """(name, model with one input, input, outputs) of a test, or None for another element type.

    There are no outputs if the test must be refused.
    """
    (inputs, outputs), = test.data_sets
    graph = test.model.graph
    types = [np.asarray(value).dtype for value in inputs[:1] + outputs]
    if not set(types) <= SERVED_TYPES:
        return None
    names = [info.name for info in graph.input]
    first, *others = (np.asarray(value) for value in inputs)
    nodes, initializers = [], [numpy_helper.from_array(value, name) for name, value in zip(names[1:], others)]
    input_name = names[0]
    if types[0] != np.float32:
        input_name = "picture"
        nodes.append(helper.make_node("Cast", [input_name], [names[0]], to=helper.np_dtype_to_tensor_dtype(types[0])))
    nodes.extend(graph.node)
    graph_outputs = []
    for info, kind in zip(graph.output, types[1:]):
        name = info.name
        if kind != np.float32:
            name = info.name + "_floats"
            nodes.append(helper.make_node("Cast", [info.name], [name], to=TensorProto.FLOAT))
        graph_outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    info = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, first.shape)
    model = helper.make_model(
        helper.make_graph(nodes, test.name, [info], graph_outputs, initializers),
        opset_imports=test.model.opset_import,
        ir_version=test.model.ir_version,
    )
    return test.name, model, first, [] if NOT_SERVED.search(test.name) else outputs


def field(value):
    """The length of some bytes as 32 bits, then the bytes."""
    return struct.pack("<I", len(value)) + value


def record(name, model, value, outputs):
    """A test vector in the format of `generate.py`."""
    floats = [field(np.asarray(array).astype("<f4").tobytes()) for array in [value, *outputs]]
    head = struct.pack("<I", len(outputs)) + field(name.encode()) + field(model.SerializeToString())
    return head + b"".join(floats)


def main(path):
    warnings.filterwarnings("ignore")
    count = 0
    with open(path, "wb") as file:
        for test in collect_testcases(None):
            nodes = test.model.graph.node
            # Tests of 3D pooling are left out, because they make the file large.
            if len(nodes) == 1 and nodes[0].op_type in OPERATORS and not re.search("pool_3d", test.name):
                if vector := case(test):
                    file.write(record(*vector))
                    count += 1
    print(f"{count} tests")


if __name__ == "__main__":
    main(sys.argv[1])
