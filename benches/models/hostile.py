"""Measures how long the engine takes to open or to refuse graphs that are built to cost it much time or memory.

    hostile.py OUTPUTS [--timeout SECONDS] [--kinds NAME...]

OUTPUTS is the program `target/release/examples/outputs` (`cargo build --release --workspace --example outputs`). It is
given no picture, so it opens the graph and ends. The script prints a table in Markdown, and exits with status 1 if a
graph exceeds a limit or provokes a panic.

Each kind of graph is made of about 300 kB, which must be opened or refused within one second of processor time, and of
about 3 MB, within five seconds. Both sizes are also made with the largest number of nodes that tract is given, where
inputs beyond four count as nodes. No process may take more than 1 GiB of memory. A process that runs longer than
`--timeout` seconds of wall time (60) is ended.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from onnx import TensorProto, helper, numpy_helper

# {bytes of the graph: limit in seconds}
SIZES = {300_000: 1.0, 3_000_000: 5.0}
SHAPE = [1, 2, 8, 8]


def constant(name, value, kind=np.float32):
    return numpy_helper.from_array(np.asarray(value, kind), name)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def quantized(of, name):
    """Nodes that quantize the tensor `of` and dequantize it to the tensor `name`."""
    return [node("QuantizeLinear", [of, "s", "z"], f"q{name}"), node("DequantizeLinear", [f"q{name}", "s", "z"], name)]


class Graph:
    """A graph that grows up to `size` bytes and `max_nodes` nodes. It begins with the dequantized tensors `a` and `b`.

    `last` is the tensor that the graph's output will be.
    """

    def __init__(self, size, max_nodes=1 << 30):
        self.size = size
        self.max_nodes = max_nodes
        self.constants = [constant("s", 1.0), constant("z", 3, np.uint8)]
        self.nodes = quantized("input", "a")
        self.nodes.append(node("MaxPool", ["a"], "m", kernel_shape=[1, 1]))
        self.nodes += quantized("m", "b")
        self.bytes = self.node_count = 0
        self.last = "a"
        self.count = 0

    def add(self, *nodes):
        self.nodes += nodes
        self.node_count += sum(1 + max(0, len(node.input) - 4) for node in nodes)
        self.bytes += sum(node.ByteSize() + 4 for node in nodes)

    def add_constant(self, constant):
        self.constants.append(constant)
        self.bytes += constant.ByteSize() + 4

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def chain(self, step):
        """Adds nodes, each group reading the result of the one before, until the size or the node limit is reached.

        `step(of, to)` gives the nodes that make the tensor `to` from the tensor `of`.
        """
        while self.bytes < self.size and self.node_count < self.max_nodes:
            to = self.name()
            self.add(*step(self.last, to))
            self.last = to

    def join(self, names):
        """Makes the output depend on all of these tensors."""
        while len(names) > 1:
            groups = [names[at : at + 1000] for at in range(0, len(names), 1000)]
            names = [self.name() for _ in groups]
            self.add(*(node("Max", group, name) for group, name in zip(groups, names)))
        [self.last] = names

    def model(self):
        """The whole graph as an ONNX model."""
        graph = helper.make_graph(
            self.nodes + [node("Identity", [self.last], "output")],
            "hostile",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, SHAPE)],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
            self.constants,
            # The engine limits the number of nodes by the size of the graph, so that the size is filled up.
            doc_string="." * max(0, self.size - self.bytes),
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def fallback_after_lowering(graph):
    """Sums without a QuantizeLinear behind. Each is read in floats by a node that comes after it."""
    graph.chain(lambda of, to: [node("Add", ["a", "b"], f"s{to}"), node("Cos", [f"s{to}"], f"c{to}"), node("Add", [of, f"c{to}"], to)])


def fallback_one_by_one(graph):
    """A chain of sums. Each becomes a fallback node only after the one before it has become one."""
    graph.chain(lambda of, to: [node("Add", [of, "b"], f"s{to}"), *quantized(f"s{to}", to), node("Cos", [f"s{to}"], f"c{to}")])
    graph.join([n.output[0] for n in graph.nodes if n.op_type == "Cos"])


def partitions(graph):
    """Partitions and operators in floats in turn."""
    graph.chain(lambda of, to: [node("Cos", [of], f"c{to}"), *quantized(f"c{to}", to)])


def concatenated(graph):
    """One concatenation of many tensors, which is quantized many times."""
    graph.add(node("Concat", ["a", "b"] * 500, "joined", axis=1))
    index = 0
    outputs = []
    while graph.bytes < graph.size:
        index += 1
        graph.add(*quantized("joined", f"j{index}"))
        outputs.append(f"j{index}")
    graph.join(outputs)


def biased(graph):
    """One convolution with large weights, and a long chain of biases."""
    graph.add_constant(constant("wq", np.ones((graph.size // 36, 2, 3, 3)), np.int8))
    graph.add_constant(constant("one", 1.0))
    graph.add(node("DequantizeLinear", ["wq", "s"], "w"), node("Conv", ["a", "w"], "conv", pads=[1, 1, 1, 1]))
    graph.last = "conv"
    graph.chain(lambda of, to: [node("Add", [of, "one"], to)])
    graph.add(*quantized(graph.last, "end"))
    graph.last = "end"


def quantized_again(graph):
    """One convolution with large weights, whose result is quantized many times."""
    graph.add_constant(constant("wq", np.ones((graph.size // 36, 2, 3, 3)), np.int8))
    graph.add(node("DequantizeLinear", ["wq", "s"], "w"), node("Conv", ["a", "w"], "conv", pads=[1, 1, 1, 1]))
    outputs = []
    while graph.bytes < graph.size:
        name = graph.name()
        graph.add(*quantized("conv", name))
        outputs.append(name)
    graph.join(outputs)


def shared_weights(graph):
    """Quantized convolutions that all read the same large weights."""
    graph.add_constant(constant("wq", np.ones((2, 2, 300, graph.size // 2400)), np.int8))
    graph.add(node("DequantizeLinear", ["wq", "s"], "w"))
    graph.chain(lambda of, to: [node("Conv", [of, "w"], f"c{to}", auto_pad="SAME_UPPER"), *quantized(f"c{to}", to)])


def shared_float_weights(graph):
    """Convolutions in floats that all read the same large weights."""
    graph.add_constant(constant("w", np.ones((2, 2, 150, graph.size // 4800))))
    graph.chain(lambda of, to: [node("Conv", [of, "w"], to, auto_pad="SAME_UPPER")])


def floats(graph):
    """A long chain of operators in floats."""
    graph.chain(lambda of, to: [node("Cos", [of], f"c{to}"), node("Add", [of, f"c{to}"], to)])


def added(graph):
    """A long chain of additions of one constant, in floats."""
    graph.add_constant(constant("one", 1.0))
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Add", [of, "one"], to)])


def doubled(graph):
    """A long chain of sums of a tensor with itself."""
    graph.chain(lambda of, to: [node("Add", [of, of], to)])


def tables(graph):
    """A long chain of functions of a byte, without quantization in between."""
    graph.chain(lambda of, to: [node("Sigmoid", [of], to)])


def quantized_tables(graph):
    """A long chain of functions of a byte, each followed by a quantization."""
    graph.chain(lambda of, to: [node("Sigmoid", [of], f"f{to}"), *quantized(f"f{to}", to)])


def shapes(graph):
    """A long chain of reshapes, each to the shape of its own input."""
    graph.add_constant(constant("shape", SHAPE, np.int64))
    graph.chain(lambda of, to: [node("Shape", [of], f"h{to}"), node("Reshape", [of, f"h{to}"], to)])


def transposed(graph):
    """A long chain of transpositions of floats."""
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Transpose", [of], to, perm=[0, 1, 3, 2])])


def constants(graph):
    """Many constants that nothing reads."""
    while graph.bytes < graph.size:
        graph.add_constant(constant(graph.name(), 1.0))


def computed_constants(graph):
    """A constant that is concatenated with itself 60 times."""
    graph.add_constant(constant("t0", np.ones((graph.size // 8,))))
    of = "t0"
    for _ in range(60):
        to = graph.name()
        graph.add(node("Concat", [of, of], to, axis=0))
        of = to
    graph.add(node("ReduceMean", [of], "mean", keepdims=0), node("Add", ["a", "mean"], "all"))
    graph.last = "all"


def filled(graph):
    """Many large tensors of zeros, whose shape is a constant."""
    graph.add_constant(constant("shape", [1 << 13, 1 << 13], np.int64))
    graph.add_constant(constant("zero", 0.0))

    def step(of, to):
        return [node("ConstantOfShape", ["shape"], f"k{to}"), node("ReduceMean", [f"k{to}"], f"m{to}", keepdims=0), node("Add", [of, f"m{to}"], to)]

    graph.chain(step)


def long_names(graph):
    """A name as long as a tenth of the file, read by many nodes."""
    long = "n" * (graph.size // 10)
    graph.add(node("Concat", ["a", "b"] * 500, long, axis=1))
    graph.add(*quantized(long, "end"))
    graph.last = "end"


def wide(graph):
    """A long chain of large tensors."""
    graph.add_constant(constant("sizes", [1, 1, 900, 900]))
    graph.add(node("Resize", ["a", "", "sizes"], "large", mode="nearest"))
    graph.last = "large"
    graph.chain(lambda of, to: [node("Cos", [of], to)])


def normalized(graph):
    """A long chain of batch normalizations, each with constants of its own."""

    def step(of, to):
        names = [f"{part}{to}" for part in ("g", "h", "m", "v")]
        for name in names:
            graph.add_constant(constant(name, [1.0, 1.0]))
        return [node("BatchNormalization", [of, *names], to)]

    graph.chain(step)


def pointwise(graph):
    """A long chain of 1×1 convolutions, each with weights of its own."""

    def step(of, to):
        graph.add_constant(constant(f"w{to}", np.eye(2).reshape(2, 2, 1, 1)))
        return [node("Conv", [of, f"w{to}"], to)]

    graph.chain(step)


def products(graph):
    """A long chain of matrix products, each with weights of its own."""

    def step(of, to):
        graph.add_constant(constant(f"w{to}", np.eye(8)))
        return [node("MatMul", [of, f"w{to}"], to)]

    graph.chain(step)


def summed(graph):
    """A long chain of sums of 20 tensors."""
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Sum", [of] * 20, to)])


def concatenated_floats(graph):
    """A long chain of concatenations of 20 tensors, in floats."""
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Concat", ["f"] * 20, f"c{to}", axis=1), node("ReduceMean", [f"c{to}"], f"m{to}", axes=[1]), node("Add", [of, f"m{to}"], to)])


def quantized_concatenations(graph):
    """Quantized concatenations of one tensor, whose inputs all have different scales and so become nodes with names."""
    number = 0
    while graph.bytes < graph.size:
        inputs = ["s", "z"]
        for _ in range(300):
            graph.add_constant(constant(f"s{number}", 1.0 + number))
            inputs += ["qa", f"s{number}", "z"]
            number += 1
        graph.add(node("QLinearConcat", inputs, graph.name(), axis=1, domain="com.microsoft"))


def lists(graph):
    """Shapes that are concatenated with themselves many times."""
    graph.add(node("Shape", ["a"], "shape"), node("Concat", ["shape"] * 256, "long", axis=0))
    names = ["a"]
    while graph.bytes < graph.size:
        name = graph.name()
        joined = node("Concat", ["long"] * 1000, f"l{name}", axis=0)
        graph.add(joined, node("ReduceMax", [f"l{name}"], f"m{name}", keepdims=0), node("Cast", [f"m{name}"], name, to=TensorProto.FLOAT))
        names.append(name)
    graph.join(names)


def outer(graph):
    """Large tensors, each the outer product of two small constants."""
    graph.add_constant(constant("column", np.ones((9000, 1))))
    graph.add_constant(constant("row", np.ones((1, 9000))))

    def step(of, to):
        return [node("Mul", ["column", "row"], f"k{to}"), node("ReduceMean", [f"k{to}"], f"m{to}", keepdims=0), node("Add", [of, f"m{to}"], to)]

    graph.chain(step)


def sized_by_arithmetic(graph):
    """Large tensors, whose shapes the graph computes."""
    graph.add_constant(constant("many", [2000, 1000, 1000, 1000], np.int64))

    def step(of, to):
        zeros = node("ConstantOfShape", [f"n{to}"], f"k{to}")
        return [node("Shape", [of], f"h{to}"), node("Mul", [f"h{to}", "many"], f"n{to}"), zeros, node("Add", [of, f"k{to}"], to)]

    graph.chain(step)


def axes(graph):
    """A tensor with a very large number of axes."""
    graph.add_constant(constant("shape", [1] * (graph.size // 8) + SHAPE, np.int64))
    graph.add(node("Cos", ["a"], "f"), node("Reshape", ["f", "shape"], "r"), node("Cos", ["r"], "g"))
    graph.last = "g"


def without_values(graph):
    """Constants that lack their values, after one of a type that tract can't read."""
    text = TensorProto(name="text", dims=[0], data_type=TensorProto.STRING, raw_data=bytes(5000))
    graph.add_constant(text)
    graph.add(node("Cos", ["a"], "f"))
    graph.last = "f"
    while graph.bytes < graph.size:
        graph.add_constant(TensorProto(name=graph.name(), dims=[67_108_863], data_type=TensorProto.FLOAT))


KINDS = [
    fallback_after_lowering, fallback_one_by_one, partitions, concatenated, biased, quantized_again, shared_weights,
    shared_float_weights, floats, added, doubled, tables, quantized_tables, shapes, transposed, constants,
    computed_constants, filled, long_names, wide, normalized, pointwise, products, summed, concatenated_floats,
    quantized_concatenations, lists, outer, sized_by_arithmetic, axes, without_values,
]

# The limit of a process's memory.
MAX_MIB = 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", type=pathlib.Path, help="the example program outputs")
    parser.add_argument("--timeout", type=float, default=60.0, help="seconds until a process is ended")
    parser.add_argument("--kinds", nargs="*", help="the names of the only kinds to measure")
    arguments = parser.parse_args()
    missed = 0
    print("| graph | bytes | seconds | MiB | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "none").write_bytes(b"")
        for kind in KINDS:
            if arguments.kinds and kind.__name__ not in arguments.kinds:
                continue
            cases = [(size, limit, 1 << 30) for size, limit in SIZES.items()]
            cases += [(size, limit, 360 + size // 8192) for size, limit in SIZES.items()]
            for size, limit, max_nodes in cases:
                graph = Graph(size, max_nodes)
                kind(graph)
                path = folder / "hostile.onnx"
                path.write_bytes(graph.model().SerializeToString())
                command = ["/usr/bin/time", "-f", "%M %U %S", arguments.outputs, path, folder / "none", folder / "to"]
                try:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=arguments.timeout)
                    lines = done.stderr.strip().splitlines()
                    peak, *times = lines[-1].split()
                    peak, seconds = int(peak) // 1024, sum(map(float, times))
                    errors = [line.removeprefix("Error: ")[:150] for line in lines if line.startswith("Error: ")]
                    message = "opened" if done.returncode == 0 else "".join(errors)
                    # A panic of tract's import is reported as a malformed model. Any other panic is an internal error, or
                    # ends the process with another status.
                    if done.returncode not in (0, 1) or "Internal(" in message:
                        message = f"PANIC {message}"
                except subprocess.TimeoutExpired:
                    message, peak, seconds = "not done", 0, arguments.timeout
                is_missed = seconds > limit or peak > MAX_MIB or "PANIC" in message
                missed += is_missed
                mark = " **missed**" if is_missed else ""
                print(f"| {kind.__name__} | {path.stat().st_size:,} | {seconds:.2f}{mark} | {peak} | {message} |", flush=True)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
