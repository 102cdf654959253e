"""Models made to keep whoever opens them busy: how long the engine takes to open or to refuse each.

    hostile.py OUTPUTS [--most SECONDS]

OUTPUTS is the program `target/release/examples/outputs` (`cargo build --release --workspace --example outputs`), which is
given no picture, so that it opens the graph and ends. Seconds are those of the processor. Each kind of graph is made with about
300 kB, which must be opened or refused within one second, with about 3 MB, within five, and with as many nodes as tract is given
at the most, inputs beyond four counted; and none may take more than 1 GiB. A process that is not done after `--most` seconds (60) is ended.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

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
        self.bytes = self.weight = 0
        self.last = "a"
        self.count = 0

    def add(self, *nodes):
        self.nodes += nodes
        self.weight += sum(1 + max(0, len(node.input) - 4) for node in nodes)
        self.bytes += sum(node.ByteSize() + 4 for node in nodes)

    def give(self, constant):
        self.constants.append(constant)
        self.bytes += constant.ByteSize() + 4

    def name(self):
        self.count += 1
        return f"t{self.count}"

    def chain(self, step):
        """Adds steps, each from the last one's result, until there are as many bytes, or nodes, as there may be."""
        while self.bytes < self.size and self.weight < self.most:
            to = self.name()
            self.add(*step(self.last, to))
            self.last = to

    def gather(self, names):
        """Has the output depend on all of these."""
        while len(names) > 1:
            groups = [names[at : at + 1000] for at in range(0, len(names), 1000)]
            names = [self.name() for _ in groups]
            self.add(*(node("Max", group, name) for group, name in zip(groups, names)))
        [self.last] = names

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
    graph.gather([n.output[0] for n in graph.nodes if n.op_type == "Cos"])


def islands(graph):
    """An island, an operator in floats, an island, and so on."""
    graph.chain(lambda of, to: [node("Cos", [of], f"c{to}"), *quantized(f"c{to}", to)])


def joined(graph):
    """Many parts joined, and the whole quantized many times."""
    graph.add(node("Concat", ["a", "b"] * 500, "joined", axis=1))
    index = 0
    outputs = []
    while graph.bytes < graph.size:
        index += 1
        graph.add(*quantized("joined", f"j{index}"))
        outputs.append(f"j{index}")
    graph.gather(outputs)


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
    graph.gather(outputs)


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
    graph.add(node("Concat", ["a", "b"] * 500, long, axis=1))
    graph.add(*quantized(long, "end"))
    graph.last = "end"


def wide(graph):
    """Large tensors, one after the other."""
    graph.give(constant("sizes", [1, 1, 900, 900]))
    graph.add(node("Resize", ["a", "", "sizes"], "large", mode="nearest"))
    graph.last = "large"
    graph.chain(lambda of, to: [node("Cos", [of], to)])


def normalized(graph):
    """A chain of normalizations with constants of their own."""

    def step(of, to):
        names = [f"{part}{to}" for part in ("g", "h", "m", "v")]
        for name in names:
            graph.give(constant(name, [1.0, 1.0]))
        return [node("BatchNormalization", [of, *names], to)]

    graph.chain(step)


def pointwise(graph):
    """A chain of convolutions of one pixel with weights of their own."""

    def step(of, to):
        graph.give(constant(f"w{to}", np.eye(2).reshape(2, 2, 1, 1)))
        return [node("Conv", [of, f"w{to}"], to)]

    graph.chain(step)


def products(graph):
    """A chain of matrix products with weights of their own."""

    def step(of, to):
        graph.give(constant(f"w{to}", np.eye(8)))
        return [node("MatMul", [of, f"w{to}"], to)]

    graph.chain(step)


def summed(graph):
    """Sums of many."""
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Sum", [of] * 20, to)])


def joined_floats(graph):
    """Concatenations of many."""
    graph.nodes.append(node("Cos", ["a"], "f"))
    graph.last = "f"
    graph.chain(lambda of, to: [node("Concat", ["f"] * 20, f"c{to}", axis=1), node("ReduceMean", [f"c{to}"], f"m{to}", axes=[1]), node("Add", [of, f"m{to}"], to)])


def one_name(graph):
    """Quantized concatenations of one tensor at ever other scales: each part is a node, and has a name."""
    number = 0
    while graph.bytes < graph.size:
        inputs = ["s", "z"]
        for _ in range(300):
            graph.give(constant(f"s{number}", 1.0 + number))
            inputs += ["qa", f"s{number}", "z"]
            number += 1
        graph.add(node("QLinearConcat", inputs, graph.name(), axis=1, domain="com.microsoft"))


def lists(graph):
    """Lists of numbers joined to themselves."""
    graph.add(node("Shape", ["a"], "shape"), node("Concat", ["shape"] * 256, "long", axis=0))
    names = ["a"]
    while graph.bytes < graph.size:
        name = graph.name()
        joined = node("Concat", ["long"] * 1000, f"l{name}", axis=0)
        graph.add(joined, node("ReduceMax", [f"l{name}"], f"m{name}", keepdims=0), node("Cast", [f"m{name}"], name, to=TensorProto.FLOAT))
        names.append(name)
    graph.gather(names)


def outer(graph):
    """Tensors that two small constants make."""
    graph.give(constant("column", np.ones((9000, 1))))
    graph.give(constant("row", np.ones((1, 9000))))

    def step(of, to):
        return [node("Mul", ["column", "row"], f"k{to}"), node("ReduceMean", [f"k{to}"], f"m{to}", keepdims=0), node("Add", [of, f"m{to}"], to)]

    graph.chain(step)


def sized_by_arithmetic(graph):
    """Tensors of a length that the graph computes."""
    graph.give(constant("many", [2000, 1000, 1000, 1000], np.int64))

    def step(of, to):
        made = node("ConstantOfShape", [f"n{to}"], f"k{to}")
        return [node("Shape", [of], f"h{to}"), node("Mul", [f"h{to}", "many"], f"n{to}"), made, node("Add", [of, f"k{to}"], to)]

    graph.chain(step)


def axes(graph):
    """A tensor of very many axes."""
    graph.give(constant("shape", [1] * (graph.size // 8) + SHAPE, np.int64))
    graph.add(node("Cos", ["a"], "f"), node("Reshape", ["f", "shape"], "r"), node("Cos", ["r"], "g"))
    graph.last = "g"


def without_values(graph):
    """Constants without the values that they should have, behind one that tract can't read."""
    text = TensorProto(name="text", dims=[0], data_type=TensorProto.STRING, raw_data=bytes(5000))
    graph.give(text)
    graph.add(node("Cos", ["a"], "f"))
    graph.last = "f"
    while graph.bytes < graph.size:
        graph.give(TensorProto(name=graph.name(), dims=[67_108_863], data_type=TensorProto.FLOAT))


KINDS = [
    found_late, late_by_one, islands, joined, biased, quantized_again, shared_weights, shared_floats, floats, added, doubled,
    tables, rounded_tables, shapes, transposed, constants, computed_constants, filled, long_names, wide, normalized, pointwise,
    products, summed, joined_floats, one_name, lists, outer, sized_by_arithmetic, axes, without_values,
]

# More memory than this is missed too.
MOST_MIB = 1024


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
            cases += [(size, bound, 360 + size // 8192) for size, bound in SIZES.items()]
            for size, bound, most in cases:
                graph = Graph(size, most)
                kind(graph)
                path = folder / "hostile.onnx"
                path.write_bytes(graph.model().SerializeToString())
                command = ["/usr/bin/time", "-f", "%M %U %S", arguments.outputs, path, folder / "none", folder / "to"]
                try:
                    done = subprocess.run(command, capture_output=True, text=True, timeout=arguments.most)
                    lines = done.stderr.strip().splitlines()
                    peak, *times = lines[-1].split()
                    peak, seconds = int(peak) // 1024, sum(map(float, times))
                    errors = [line.removeprefix("Error: ")[:150] for line in lines if line.startswith("Error: ")]
                    said = "opened" if done.returncode == 0 else "".join(errors)
                    # A panic of tract's import is caught and named; what nobody caught ends otherwise, or is an internal error.
                    if done.returncode not in (0, 1) or "Internal(" in said:
                        said = f"PANIC {said}"
                except subprocess.TimeoutExpired:
                    said, peak, seconds = "not done", 0, arguments.most
                is_missed = seconds > bound or peak > MOST_MIB or "PANIC" in said
                missed += is_missed
                mark = " **missed**" if is_missed else ""
                print(f"| {kind.__name__} | {path.stat().st_size:,} | {seconds:.2f}{mark} | {peak} | {said} |", flush=True)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
