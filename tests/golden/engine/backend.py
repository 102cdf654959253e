"""The node tests of the ONNX standard for the operators of quantized networks, as `generate.py` writes vectors.

    pip install -r ../graphs/requirements.txt
    python backend.py backend.bin

The tests are made by the package `onnx` (`onnx.backend.test.case.node`, Apache-2.0), with the expected outputs. The
engine takes one float picture and gives floats, so a test's first input is cast from floats, its others become
initializers, and its outputs are cast to floats; the operator itself is untouched. A record without outputs is a test
that must be refused with an error: what it asks for is not served.
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

SERVED = {np.dtype(np.float32), np.dtype(np.uint8), np.dtype(np.int8), np.dtype(np.int32)}

# Training, weights quantized in blocks, padding by the opposite edge and the product of two vectors: no part of a network
# that classifies pictures.
NOT_SERVED = re.compile("training_mode|blocked|wrap_pad|matmul_1d_1d")


def case(test):
    """A name, a model of one input, that input, and the outputs; no outputs where the test must be refused."""
    (inputs, outputs), = test.data_sets
    graph = test.model.graph
    kinds = [np.asarray(value).dtype for value in inputs[:1] + outputs]
    if not set(kinds) <= SERVED:
        return None
    names = [info.name for info in graph.input]
    first, *others = (np.asarray(value) for value in inputs)
    nodes, initializers = [], [numpy_helper.from_array(value, name) for name, value in zip(names[1:], others)]
    given = names[0]
    if kinds[0] != np.float32:
        given = "picture"
        nodes.append(helper.make_node("Cast", [given], [names[0]], to=helper.np_dtype_to_tensor_dtype(kinds[0])))
    nodes.extend(graph.node)
    wanted = []
    for info, kind in zip(graph.output, kinds[1:]):
        name = info.name
        if kind != np.float32:
            name = info.name + "_floats"
            nodes.append(helper.make_node("Cast", [info.name], [name], to=TensorProto.FLOAT))
        wanted.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))
    info = helper.make_tensor_value_info(given, TensorProto.FLOAT, first.shape)
    model = helper.make_model(
        helper.make_graph(nodes, test.name, [info], wanted, initializers),
        opset_imports=test.model.opset_import,
        ir_version=test.model.ir_version,
    )
    given_out = [] if NOT_SERVED.search(test.name) else outputs
    return test.name, model, first, given_out


def field(value):
    return struct.pack("<I", len(value)) + value


def record(name, model, value, outputs):
    floats = [field(np.asarray(array).astype("<f4").tobytes()) for array in [value, *outputs]]
    head = struct.pack("<I", len(outputs)) + field(name.encode()) + field(model.SerializeToString())
    return head + b"".join(floats)


def main(path):
    warnings.filterwarnings("ignore")
    count = 0
    with open(path, "wb") as file:
        for test in collect_testcases(None):
            nodes = test.model.graph.node
            # Pools over volumes make large files.
            if len(nodes) == 1 and nodes[0].op_type in OPERATORS and not re.search("pool_3d", test.name):
                if made := case(test):
                    file.write(record(*made))
                    count += 1
    print(f"{count} tests")


if __name__ == "__main__":
    main(sys.argv[1])
