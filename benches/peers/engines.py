"""Runs an engine that comes as a Python package, driven by `peers.py` with the protocol of `src/asked.rs`.

    python benches/peers/engines.py openvino|litert MODEL PICTURES THREADS

PICTURES is a file of float32 values, n×1×3×224×224. The script reads one command a line from standard input and prints
one line of JSON for each. It imports the engine's package, and so loads its libraries, before the time of `load_ms`
begins.
"""

import json
import sys
import time

import numpy as np

# The number of uncounted runs at the start of a turn, and the minimum number of counted ones, as in src/asked.rs.
WARM_UP_RUNS = 2
MIN_RUNS = 3


def openvino(model, pictures, threads):
    """(version, load). `load` opens the model and gives three functions: choose a picture, run, read the scores."""
    from openvino import Core, Tensor, __version__

    def load():
        options = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
                   "ENABLE_CPU_PINNING": False}
        request = Core().compile_model(model, "CPU", options).create_infer_request()
        tensors = [Tensor(picture, shared_memory=True) for picture in pictures]

        def choose(number):
            request.set_input_tensor(0, tensors[number])
        return choose, request.infer, lambda: request.get_output_tensor(0).data.ravel().tolist()
    return __version__, load


def litert(model, pictures, threads):
    """(version, load), as for `openvino`."""
    from importlib.metadata import version

    from ai_edge_litert.interpreter import Interpreter

    # The graphs of onnx2tf are channels last.
    pictures = pictures.transpose(0, 1, 3, 4, 2).copy()

    def load():
        interpreter = Interpreter(model, num_threads=threads)
        interpreter.allocate_tensors()
        source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

        def choose(number):
            interpreter.set_tensor(source, pictures[number])
        return choose, interpreter.invoke, lambda: interpreter.get_tensor(target).ravel().tolist()
    return version("ai-edge-litert"), load


def memory(name):
    """A memory figure of this process from /proc/self/status, in kB of 1024 bytes."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(name))


def timed(run, seconds):
    """The CPU and wall times of runs over `seconds`, in milliseconds, and the peak memory in kB."""
    for _ in range(WARM_UP_RUNS):
        run()
    cpu, wall, begin = [], [], time.perf_counter()
    while len(cpu) < MIN_RUNS or time.perf_counter() - begin < seconds:
        start, cpu_start = time.perf_counter_ns(), time.process_time_ns()
        run()
        cpu.append((time.process_time_ns() - cpu_start) / 1e6)
        wall.append((time.perf_counter_ns() - start) / 1e6)
    return {"cpu_ms": cpu, "wall_ms": wall, "peak_kb": memory("VmHWM:")}


def main(engine, model, pictures, threads):
    pictures = np.fromfile(pictures, np.float32).reshape(-1, 1, 3, 224, 224)
    version, load = {"openvino": openvino, "litert": litert}[engine](model, pictures, int(threads))
    before, start = memory("VmRSS:"), time.perf_counter()
    choose, run, scores = load()
    loaded = time.perf_counter()
    choose(0)
    run()
    scores()
    first = time.perf_counter()
    reply({"about": version, "load_ms": (loaded - start) * 1e3, "first_ms": (first - start) * 1e3, "before_kb": before})
    for line in sys.stdin:
        command, *rest = line.split()
        if command == "time":
            choose(0)
            reply(timed(run, float(rest[0])))
        elif command == "outputs":
            outputs = []
            for number in range(len(pictures)):
                choose(number)
                run()
                outputs.append(scores())
            reply(outputs)
        else:
            sys.exit(f"{line}: not a command")


def reply(answer):
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
