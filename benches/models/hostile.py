"""Models made to keep whoever opens them busy: how long the engine takes to open or to refuse each.

    hostile.py OUTPUTS [--most SECONDS]

OUTPUTS is the program `target/release/examples/outputs` (`cargo build --release --workspace --example outputs`), which is
given no picture, so that it opens the graph and ends. Each kind of graph is made with about 300 kB, which must be opened or
refused within one second, with about 3 MB, within five, and with as many nodes as tract is given at the most. A process that is not done after `--most` seconds (60) is ended.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZES = {300_000: 1.0, 3_000_000: 5.0}
SHAPE = [1, 2, 8, 8]


def constant(name, value, kind=np.float32):
    return numpy_helper.from_array(np.asarray(value, kind), name)


def node(kind, inputs, output, **attributes):
    return helper.make_node(kind, inputs, [output], **attributes)


def quantized(of, name):
    """`of`, quantized, and the reals of that as `name`."""
    return [node("QuantizeLinear", [of, "s", "z"], f"q{name}"), node("DequantizeLinear", [f"q{name}", "s", "z"], name)]


class Graph:
    """Nodes from `input` on, which begin with the quantized reals `a` and `b`."""

    def __init__(self, size, most=1 << 30):
        self.size = size
        self.most = most
        self.constants = [constant("s", 1.0), constant("z", 3, np.uint8)]
        self.nodes = quantized("input", "a")
        self.nodes.append(node("MaxPool", ["a"], "m", kernel_shape=[1, 1]))
        self.nodes += quantized("m", "b")
        self.bytes = 0
        self.last = "a"
        self.count = 0

    def add(self, *nodes):
        self.nodes += nodes
        self.bytes += sum(node.ByteSize() + 4 for node in nodes)

    def give(self, constant):
        self.constants.append(constant)
        self.bytes += constant.ByteSize() + 4

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def chain(self, step):
        """Adds steps, each from the last one's result, until there are as many bytes, or nodes, as there may be."""
        while self.bytes < self.size and len(self.nodes) < self.most:
            to = self.name()
            self.add(*step(self.last, to))
            self.last = to

    def model(self):
        graph = helper.make_graph(
            self.nodes + [node("Identity", [self.last], "output")],
            "hostile",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, SHAPE)],
            [helper.make_tensor_value_info("output", TensorProto.FLOAT, None)],
            self.constants,
            # Nodes are counted by the graph's bytes.
            doc_string="." * max(0, self.size - self.bytes),
        )
        opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def found_late(graph):
    """Sums that nothing rounds, each asked for in floats after it was lowered."""
    graph.chain(lambda of, to: [node("Add", ["a", "b"], f"s{to}"), node("Cos", [f"s{to}"], f"c{to}"), node("Add", [of, f"c{to}"], to)])


def late_by_one(graph):
    """Each sum is found to be tract's only when the one before it is."""
    graph.chain(lambda of, to: [node("Add", [of, "b"], f"s{to}"), *quantized(f"s{to}", to), node("Cos", [f"s{to}"], f"c{to}")])
    cosines = [n.output[0] for n in graph.nodes if n.op_type == "Cos"]
    graph.add(node("Sum", cosines, "all"))
    graph.last = "all"


def islands(graph):
    """An island, an operator in floats, an island, and so on."""
    graph.chain(lambda of, to: [node("Cos", [of], f"c{to}"), *quantized(f"c{to}", to)])


def joined(graph):
    """Many parts joined, and the whole quantized many times."""
    parts = graph.size // 20
    graph.add(node("Concat", ["a", "b"] * (parts // 2), "joined", axis=1))
    index = 0
    outputs = []
    while graph.bytes < graph.size:
        index += 1
        graph.add(*quantized("joined", f"j{index}"))
        outputs.append(f"j{index}")
    graph.add(node("Max", outputs, "all"))
    graph.last = "all"


def biased(graph):
    """One convolution with large weights, and a bias added to it over and over."""
    graph.give(constant("wq", np.ones((graph.size // 36, 2, 3, 3)), np.int8))
    graph.give(constant("one", 1.0))
    graph.add(node("DequantizeLinear", ["wq", "s"], "w"), node("Conv", ["a", "w"], "conv", pads=[1, 1, 1, 1]))
    graph.last = "conv"
    graph.chain(lambda of, to: [node("Add", [of, "one"], to)])
    graph.add(*quantized(graph.last, "end"))
    graph.last = "end"


def quantized_again(graph):
    """One convolution with large weights, quantized over and over."""
    graph.give(constant("wq", np.ones((graph.size // 36, 2, 3, 3)), np.int8))
    graph.add(node("DequantizeLinear", ["wq", "s"], "w"), node("Conv", ["a", "w"], "conv", pads=[1, 1, 1, 1]))
    outputs = []
    while graph.bytes < graph.size:
        name = graph.name()
        graph.add(*quantized("conv", name))
        outputs.append(name)
    graph.add(node("Max", outputs, "all"))
    graph.last = "all"


def shared_weights(graph):
    """Convolutions that all have the same large weights."""
    graph.give(constant("wq", np.ones((2, 2, 300, graph.size // 2400)), np.int8))
    graph.add(node("DequantizeLinear", ["wq", "s"], "w"))
    graph.chain(lambda of, to: [node("Conv", [of, "w"], f"c{to}", auto_pad="SAME_UPPER"), *quantized(f"c{to}", to)])


def shared_floats(graph):
    """The same in floats."""
    graph.give(constant("w", np.ones((2, 2, 150, graph.size // 4800))))
    graph.chain(lambda of, to: [node("Conv", [of, "w"], to, auto_pad="SAME_UPPER")])


def floats(graph):
    """A long chain in floats."""
    graph.chain(lambda of, to: [node("Cos", [of], f"c{to}"), node("Add", [of, f"c{to}"], to)])


def added(graph):
    """A constant added over and over, in floats."""
    graph.give(constant("one", 1.0))
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Add", [of, "one"], to)])


def doubled(graph):
    """Sums of a tensor with itself."""
    graph.chain(lambda of, to: [node("Add", [of, of], to)])


def tables(graph):
    """A long chain of functions of a byte."""
    graph.chain(lambda of, to: [node("Sigmoid", [of], to)])


def rounded_tables(graph):
    """The same, rounded in between."""
    graph.chain(lambda of, to: [node("Sigmoid", [of], f"f{to}"), *quantized(f"f{to}", to)])


def shapes(graph):
    """Shapes computed from shapes."""
    graph.give(constant("shape", SHAPE, np.int64))
    graph.chain(lambda of, to: [node("Shape", [of], f"h{to}"), node("Reshape", [of, f"h{to}"], to)])


def transposed(graph):
    """Transpositions of floats."""
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Transpose", [of], to, perm=[0, 1, 3, 2])])


def constants(graph):
    """Many constants that nothing reads."""
    while graph.bytes < graph.size:
        graph.give(constant(graph.name(), 1.0))


def computed_constants(graph):
    """A tensor that grows by joining constants to themselves."""
    graph.give(constant("t0", np.ones((graph.size // 8,))))
    of = "t0"
    for _ in range(60):
        to = graph.name()
        graph.add(node("Concat", [of, of], to, axis=0))
        of = to
    graph.add(node("ReduceMean", [of], "mean", keepdims=0), node("Add", ["a", "mean"], "all"))
    graph.last = "all"


def filled(graph):
    """Many tensors of a constant shape."""
    graph.give(constant("shape", [1 << 13, 1 << 13], np.int64))
    graph.give(constant("zero", 0.0))

    def step(of, to):
        return [node("ConstantOfShape", ["shape"], f"k{to}"), node("ReduceMean", [f"k{to}"], f"m{to}", keepdims=0), node("Add", [of, f"m{to}"], to)]

    graph.chain(step)


def long_names(graph):
    """Names as long as a tenth of the file."""
    long = "n" * (graph.size // 10)
    graph.add(node("Concat", ["a", "b"] * (graph.size // 8), long, axis=1))
    graph.add(*quantized(long, "end"))
    graph.last = "end"


def wide(graph):
    """Large tensors, one after the other."""
    graph.give(constant("sizes", [1, 1, 900, 900]))
    graph.add(node("Resize", ["a", "", "sizes"], "large", mode="nearest"))
    graph.last = "large"
    graph.chain(lambda of, to: [node("Cos", [of], to)])


KINDS = [
    found_late, late_by_one, islands, joined, biased, quantized_again, shared_weights, shared_floats, floats, added, doubled,
    tables,
    rounded_tables, shapes, transposed, constants, computed_constants, filled, long_names, wide,
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("outputs", type=pathlib.Path)
    parser.add_argument("--most", type=float, default=60.0)
    parser.add_argument("--kinds", nargs="*")
    arguments = parser.parse_args()
    missed = 0
    print("| graph | bytes | seconds | MiB | |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "none").write_bytes(b"")
        for kind in KINDS:
            if arguments.kinds and kind.__name__ not in arguments.kinds:
                continue
            cases = [(size, bound, 1 << 30) for size, bound in SIZES.items()]
            cases += [(size, bound, 500 + size // 4096) for size, bound in SIZES.items()]
            for size, bound, most in cases:
                graph = Graph(size, most)
                kind(graph)
                path = folder / "hostile.onnx"
                path.write_bytes(graph.model().SerializeToString())
                command = ["/usr/bin/time", "-f", "%M", arguments.outputs, path, folder / "none", folder / "to"]
                started = time.monotonic()
                try:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=arguments.most)
                    lines = done.stderr.strip().splitlines()
                    peak = int(lines[-1]) // 1024
                    said = "opened" if done.returncode == 0 else lines[0].removeprefix("Error: ")[:150]
                    if "panicked" in done.stderr or "signal" in done.stderr:
                        said = "PANIC " + said
                except subprocess.TimeoutExpired:
                    said, peak = "not done", 0
                seconds = time.monotonic() - started
                missed += seconds > bound or "PANIC" in said
                mark = " **missed**" if seconds > bound else ""
                print(f"| {kind.__name__} | {path.stat().st_size:,} | {seconds:.2f}{mark} | {peak} | {said} |", flush=True)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
