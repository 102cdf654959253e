"""Compares Bedside with other engines on quantized networks: time, threads, cold start, memory, size and agreement.

    python benches/peers/peers.py MODELS [--quick]

MODELS is the folder that `benches/models/make.py` and `convert.py` filled. `cargo xtask bench peers` makes it, builds
the programs and runs this script. It writes docs/runs/performance-peers.md. With `--quick` it runs few rounds, to check
that everything works, and writes target/peers/performance-peers.md.

Each engine is a process that serves commands (`src/asked.rs`). The engines take turns, so that a change of the
machine's speed affects all of them, and each round begins with another engine. One thread is timed in process CPU time,
and two threads in wall time. A figure is the tenth percentile of all runs, because disturbances only make a run longer.
All processes are restarted several times, because the speed of a process can differ by a tenth from that of another one
for all its life. The picture is in the engine's input before a timed run begins.
"""

import argparse
import collections
import dataclasses
import datetime
import importlib.metadata
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
# The programs of this workspace, and those of the peers that have a workspace of their own.
RELEASE, PEERS_RELEASE = ROOT / "target/release", ROOT / "target/peers/release"

# The pause between two turns, in which the threads of the last engine go to sleep.
PAUSE_SECONDS = 0.02


@dataclasses.dataclass(frozen=True)
class Network:
    """A network, and the limits of Bedside's time as a multiple of another engine's: (must, aim)."""

    title: str
    file: str
    # Against the fastest peer, on processors with VNNI.
    best: tuple[float, float]
    # Against ONNX Runtime in its exact mode, with both at AVX2.
    avx2: tuple[float, float]


NETWORKS = [
    Network("MobileNetV2", "mobilenet-v2", (1.0, 0.8), (0.75, 0.67)),
    Network("EfficientNet-B0", "efficientnet-b0", (1.0, 0.8), (0.80, 0.65)),
    Network("EfficientNet-Lite0", "efficientnet-lite0", (1.0, 0.8), (0.72, 0.65)),
    Network("MobileNetV3-Large", "mobilenet-v3-large", (1.0, 0.7), (0.80, 0.70)),
    Network("ResNet-50", "resnet-50", (1.1, 0.95), (0.90, 0.70)),
]
COLD = NETWORKS[:2]

# The minimum signal-to-noise ratio of scores against those of ONNX Runtime in its exact mode. If Bedside's is lower, the
# run fails.
MIN_DB = 20
MEMORY_LIMIT_MB = 40


@dataclasses.dataclass(frozen=True)
class Contender:
    """An engine with its program, the suffix of its model files, its environment and its number of threads."""

    name: str
    program: tuple
    suffix: str = ".onnx"
    environment: tuple = ()
    threads: int = 1

    def command(self, models, network, pictures):
        model = models / f"{network.file}{self.suffix}"
        return [*map(str, (*self.program, model, pictures, self.threads))], model


def python(engine):
    return (sys.executable, pathlib.Path(__file__).with_name("engines.py"), engine)


def onnxruntime_library():
    package = pathlib.Path(importlib.metadata.distribution("onnxruntime").locate_file("onnxruntime"))
    return next((package / "capi").glob("libonnxruntime.so.*"))


LIBRARY = (("ONNXRUNTIME", str(onnxruntime_library())),)
BEDSIDE = Contender("Bedside", (RELEASE / "peer-bedside",))
PREPARED = dataclasses.replace(BEDSIDE, name="Bedside, prepared form", suffix=".prepared")
BEDSIDE_AVX2 = dataclasses.replace(BEDSIDE, name="Bedside held to AVX2", environment=(("BEDSIDE_KERNEL", "avx2"),))
ORT = Contender("ONNX Runtime", (PEERS_RELEASE / "peer-onnxruntime",), environment=LIBRARY)
EXACT = dataclasses.replace(ORT, name="ONNX Runtime, exact", environment=(*LIBRARY, ("ONNXRUNTIME_EXACT", "1")))
OPENVINO = Contender("OpenVINO", python("openvino"))
LITERT = Contender("LiteRT", python("litert"), suffix=".tflite")
TRACT = Contender("tract", (RELEASE / "peer-tract",))
RTEN = Contender("rten", (PEERS_RELEASE / "peer-rten",))
ALL = [BEDSIDE, BEDSIDE_AVX2, ORT, EXACT, OPENVINO, LITERT, TRACT, RTEN]
PEERS = [ORT, EXACT, OPENVINO, LITERT, TRACT, RTEN]
THREADED = [BEDSIDE, ORT, OPENVINO, LITERT]
COLD_STARTERS = [BEDSIDE, PREPARED, ORT, OPENVINO, LITERT, TRACT, RTEN]


class NoAnswer(Exception):
    """An engine did not answer. The message is its last line of standard error, or its status."""


class Process:
    """The process of a contender that has opened a network."""

    def __init__(self, contender, models, network, pictures):
        command, model = contender.command(models, network, pictures)
        if not model.exists():
            raise NoAnswer(f"there is no {model.name}")
        self.errors = tempfile.TemporaryFile("w+")
        start = time.perf_counter()
        # The caller's BEDSIDE_KERNEL is left out, so that only the contender chooses kernels.
        environment = {name: value for name, value in os.environ.items() if name != "BEDSIDE_KERNEL"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, env={**environment, **dict(contender.environment)})
        self.opened = self.answer()
        self.opened["process_ms"] = (time.perf_counter() - start) * 1e3

    def ask(self, command):
        """Sends a command and gives the answer."""
        try:
            print(command, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        return self.answer()

    def answer(self):
        while line := self.process.stdout.readline():
            # Some libraries print messages on standard output too.
            if line[0] in "[{":
                return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        errors = self.errors.read().strip().splitlines()
        raise NoAnswer(errors[-1] if errors else f"status {self.process.returncode}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@dataclasses.dataclass
class Measured:
    """The results of a network, each by contender: versions, times in milliseconds, agreement, failures."""

    about: dict
    cpu: dict
    wall: dict
    agreement: dict
    failures: dict


def start(contenders, models, network, failures):
    """The processes by contender. A peer that fails is added to `failures`, and ends the run if it is a needed one."""
    processes = {}
    for contender in contenders:
        try:
            processes[contender] = Process(contender, models, network, models / "pictures.f32")
        except NoAnswer as failure:
            failures[contender] = str(failure)
    for needed in (BEDSIDE, BEDSIDE_AVX2, ORT, EXACT):
        if needed in failures:
            sys.exit(f"{needed.name}, {network.title}: {failures[needed]}")
    if processes[BEDSIDE_AVX2].opened["about"].split()[-1] != "avx2":
        sys.exit(f"{BEDSIDE_AVX2.name}, {network.title}: runs {processes[BEDSIDE_AVX2].opened['about']}")
    return processes


def in_turn(contenders, rounds, ask):
    """Calls `ask` for each contender in every round. Each round begins with another contender."""
    for number in range(rounds):
        for place in range(len(contenders)):
            ask(contenders[(place + number) % len(contenders)])


def measure(models, network, restarts, rounds, seconds):
    """Times and compares all contenders on a network."""
    both = [dataclasses.replace(contender, threads=2) for contender in THREADED]
    cpu, wall = (collections.defaultdict(list) for _ in range(2))
    failures = {}

    def turn(contender):
        time.sleep(PAUSE_SECONDS)
        figures = processes[contender].ask(f"time {seconds}")
        cpu[contender] += figures["cpu_ms"]
        wall[contender] += figures["wall_ms"]

    for restart in range(restarts):
        processes = start(ALL + both, models, network, failures)
        in_turn(list(processes), rounds, turn)
        if restart == 0:
            outputs = {contender: np.array(process.ask("outputs")) for contender, process in processes.items()}
        for process in processes.values():
            process.close()
    if not np.array_equal(outputs[BEDSIDE], outputs[BEDSIDE_AVX2]):
        sys.exit(f"{network.title}: Bedside's scores depend on its kernels")
    agreements = {contender: agreement(scores, outputs[EXACT]) for contender, scores in outputs.items()}
    if agreements[BEDSIDE].decibels < MIN_DB:
        sys.exit(f"{network.title}: Bedside's scores are not those of {EXACT.name}: {agreements[BEDSIDE]}")
    return Measured(
        about={contender: process.opened["about"] for contender, process in processes.items()},
        cpu={contender: p10(times) for contender, times in cpu.items()},
        wall={contender: p10(times) for contender, times in wall.items()},
        agreement=agreements,
        failures=failures,
    )


def p10(times):
    return sorted(times)[len(times) // 10]


@dataclasses.dataclass(frozen=True)
class Agreement:
    """The number of pictures with the same top label as the reference, the number of pictures, and the SNR of all scores."""

    same: int
    pictures: int
    decibels: float

    def __str__(self):
        ratio = "the same scores" if self.decibels == math.inf else f"{self.decibels:.0f} dB"
        text = f"{self.same}/{self.pictures}, {ratio}"
        return text if self.decibels >= MIN_DB else f"**{text}**"


def agreement(scores, reference):
    same = int((scores.argmax(1) == reference.argmax(1)).sum())
    noise = float(((scores - reference) ** 2).sum())
    decibels = 10 * math.log10(float((reference ** 2).sum()) / noise) if noise else math.inf
    return Agreement(same, len(scores), decibels)


def in_fresh_processes(models, network, rounds, ask):
    """The answers of fresh processes by contender, one a round. Each process opens the network and is asked once."""
    picture = models / "picture.f32"
    np.fromfile(models / "pictures.f32", np.float32)[:3 * 224 * 224].tofile(picture)
    model, prepared = (models / f"{network.file}{contender.suffix}" for contender in (BEDSIDE, PREPARED))
    subprocess.run([*BEDSIDE.program, "prepare", model, prepared], check=True)
    answers = {}

    def turn(contender):
        try:
            process = Process(contender, models, network, picture)
            answers.setdefault(contender, []).append(ask(process))
            process.close()
        except NoAnswer as failure:
            print(f"{contender.name}, {network.title}: {failure}", file=sys.stderr)

    in_turn(COLD_STARTERS, rounds, turn)
    return {contender: answers[contender] for contender in COLD_STARTERS if contender in answers}


def cold(models, network, rounds):
    """The minimum of each time of a cold start, by contender."""
    answers = in_fresh_processes(models, network, rounds, lambda process: process.opened)
    return {contender: {key: min(opened[key] for opened in rows) for key in ("load_ms", "first_ms", "process_ms")}
            for contender, rows in answers.items()}


def peaks(models, network, rounds):
    """The maximum peak memory in MB by contender: of the process, and less what it had before it opened the file."""
    def ask(process):
        kilobytes = process.ask("time 0.2")["peak_kb"]
        return [value * 1024 / 1e6 for value in (kilobytes, kilobytes - process.opened["before_kb"])]
    return {contender: max(rows) for contender, rows in in_fresh_processes(models, network, rounds, ask).items()}


def stripped_size(files):
    """The size of libraries in MB, without symbols."""
    size = 0
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            out = pathlib.Path(folder, file.name)
            subprocess.run(["strip", "--strip-unneeded", "-o", out, file], check=True)
            size += out.stat().st_size
    return size / 1e6


def libraries():
    """{contender: (description of its library, files)}."""
    def package(name, module, *patterns):
        folder = pathlib.Path(importlib.metadata.distribution(name).locate_file(module))
        return [next(folder.glob(pattern)) for pattern in patterns]
    return {
        BEDSIDE: ("`libbedside.so`, release profile", [RELEASE / "libbedside.so"]),
        PREPARED: ("the same; smaller without the importer", [RELEASE / "libbedside.so"]),
        ORT: ("`libonnxruntime.so` of the wheel", [onnxruntime_library()]),
        OPENVINO: ("runtime, CPU plugin, ONNX reader, TBB", package(
            "openvino", "openvino/libs", "libopenvino.so*", "libopenvino_intel_cpu_plugin.so",
            "libopenvino_onnx_frontend.so*", "libtbb.so*")),
        LITERT: ("`libLiteRt.so` of the wheel", package("ai-edge-litert", "ai_edge_litert", "libLiteRt.so")),
        TRACT: ("a program around it", [RELEASE / "peer-tract"]),
        RTEN: ("a program around it", [PEERS_RELEASE / "peer-rten"]),
    }


def cpu_name():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    named = dict(line.split("\t", 1) for line in lines if "\t" in line)
    name, flags = (named.get(key, platform.machine()).lstrip("\t: ") for key in ("model name", "flags"))
    flags = flags.split()
    return f"{name} ({', '.join(f for f in ('avx2', 'avx_vnni', 'avx512_vnni') if f in flags)})"


def has_vnni():
    return "vnni" in cpu_name()


# What follows writes the page.


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]


def with_verdict(ratio, limits):
    must, aim = limits
    word = "aim met" if ratio <= aim else "must met" if ratio <= must else "**missed**"
    return f"{ratio:.2f}, {word}"


def limits(pair):
    return f"{pair[0]:.2f} · {pair[1]:.2f}"


def version(contender, results):
    about = next((result.about[contender] for result in results.values() if contender in result.about), None)
    return f"{contender.name}: {about}" if about else f"{contender.name}: in none of the networks"


def milliseconds(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def one_thread(results):
    head = ["", *(network.title for network in results)]
    rows = []
    for contender in ALL:
        row = [contender.name]
        for result in results.values():
            ours = result.cpu[BEDSIDE_AVX2 if contender is EXACT else BEDSIDE]
            theirs = result.cpu.get(contender)
            if theirs is None:
                row.append("–")
            elif contender in PEERS:
                row.append(f"{milliseconds(theirs)} ({ours / theirs:.2f})")
            else:
                row.append(milliseconds(theirs))
        rows.append(row)
    fastest, multiple = ["the fastest peer"], ["Bedside as a multiple of it"]
    exact = ["Bedside held to AVX2 as a multiple of ONNX Runtime, exact"]
    for network, result in results.items():
        peer = min((contender for contender in PEERS if contender in result.cpu), key=result.cpu.get)
        fastest.append(peer.name)
        ratio = result.cpu[BEDSIDE] / result.cpu[peer]
        # The limits hold for processors with VNNI only.
        multiple.append(with_verdict(ratio, network.best) if has_vnni() else f"{ratio:.2f}")
        exact.append(with_verdict(result.cpu[BEDSIDE_AVX2] / result.cpu[EXACT], network.avx2))
    rows += [fastest, multiple, ["must · aim, with VNNI", *(limits(network.best) for network in results)], exact,
             ["must · aim", *(limits(network.avx2) for network in results)]]
    return ["## One thread", "", "Process CPU milliseconds; in brackets Bedside's time as a multiple of that engine's, "
            "below 1 where Bedside is faster; beside exact ONNX Runtime, which runs at AVX2's speed, it is Bedside's held to "
            "AVX2.", "", *table(head, rows), "",
            *(f"- {contender.name}, {network.title}: not measured: {failure}" for network, result in results.items()
              for contender, failure in result.failures.items() if contender.threads == 1)]


def two_threads(results):
    rows = []
    for contender in THREADED:
        row = [contender.name]
        for result in results.values():
            one, two = (result.wall.get(dataclasses.replace(contender, threads=threads)) for threads in (1, 2))
            row.append(f"{milliseconds(one)} / {milliseconds(two)} = {one / two:.2f}" if one and two else "–")
        rows.append(row)
    verdict = ["Bedside's scaling at least ONNX Runtime's"]
    for result in results.values():
        ours, theirs = (result.wall[contender] / result.wall[dataclasses.replace(contender, threads=2)]
                        for contender in (BEDSIDE, ORT))
        verdict.append("must met" if ours >= theirs else "**missed**")
    return ["## Two threads", "", "Wall milliseconds, one thread / two threads = scaling.", "",
            *table(["", *(network.title for network in results)], [*rows, verdict])]


def agreements(results):
    rows = []
    for contender in ALL:
        found = (result.agreement.get(contender) for result in results.values())
        rows.append([contender.name, *("–" if one is None else str(one) for one in found)])
    count = next(iter(results.values())).agreement[EXACT].pictures
    return ["## What they answer", "", f"Beside ONNX Runtime, exact, on {count} pictures: on how many the highest score "
            f"is the same, and the signal-to-noise ratio of all scores, in bold below {MIN_DB} dB. LiteRT's files are "
            "quantized by another converter: theirs tells that the network is the same one, no more. Bedside's two "
            "sets of kernels give the same bits, or this page would not have been written.", "",
            *table(["", *(network.title for network in results)], rows)]


def cold_starts(network, starts, rounds):
    rows = []
    for contender, figures in starts.items():
        cells = [f"{figures[key]:.1f}" for key in ("load_ms", "first_ms")]
        whole = f"{figures['process_ms']:.1f}"
        whole = f"({whole})" if contender in (OPENVINO, LITERT) else whole
        rows.append([contender.name, *cells, whole])
    lines = [f"### {network.title}", "", *table(["", "load", "file to first result", "whole process"], rows), ""]
    if network is COLD[0]:
        met = all(starts[BEDSIDE][key] <= starts[ORT][key] for key in ("first_ms", "process_ms"))
        lines += [f"Bedside at most ONNX Runtime's, both ways of counting: {'must met' if met else '**missed**'}.", ""]
        if LITERT in starts:
            met = starts[PREPARED]["first_ms"] <= starts[LITERT]["first_ms"]
            lines += [f"From the prepared form at most LiteRT's, inside the process: {'aim met' if met else '**missed**'}.", ""]
    return lines


def sizes(memory):
    rows = []
    for contender, (name, files) in libraries().items():
        whole, grown = memory.get(contender, (math.nan, math.nan))
        rows.append([contender.name, f"{whole:.0f} MB", f"{grown:.0f} MB", f"{stripped_size(files):.1f} MB", name])
    met = "must met" if memory[BEDSIDE][0] <= MEMORY_LIMIT_MB else "**missed**"
    return ["## Memory and size", "", f"{COLD[0].title}: peak memory of a fresh process that opens the file and "
            "looks at a picture for a fifth of a second; the same less what the process had before it opened the file "
            "(Python and the library, for some); and the library, stripped.", "",
            *table(["", "peak memory", "over the start", "library", "which is"], rows), "",
            f"Bedside's peak at most {MEMORY_LIMIT_MB} MB: {met}."]


def page(results, starts, memory, restarts, rounds, seconds, cold_rounds, load):
    return "\n".join([
        "<!-- Written by `cargo xtask bench peers`. Do not edit. -->", "",
        "# Quantized networks, Bedside beside its peers: the last run", "",
        "`benches/peers/peers.py` says what is measured and how. Models by `benches/models/make.py`, for LiteRT by "
        "`benches/peers/convert.py`.", "",
        f"- Date: {datetime.date.today()}",
        f"- CPU: {cpu_name()}; load before the run {load[0]:.1f}, after it {os.getloadavg()[0]:.1f}",
        f"- {restarts} times {rounds} rounds in turn, each time in fresh processes, at least {seconds} s of each engine a "
        "round; tenth percentile of all runs",
        *(f"- {version(contender, results)}" for contender in ALL), "",
        *one_thread(results), "", *two_threads(results), "", *agreements(results), "",
        "## Cold start", "", f"Wall milliseconds in fresh processes, engines in turn, the smallest of {cold_rounds}. Load "
        "and file to first result are counted inside the process, its libraries loaded before the clock starts. The whole "
        "process, from its start to its first result, counts them too; in brackets where Python is most of it.", "",
        *(line for network, figures in starts.items() for line in cold_starts(network, figures, cold_rounds)),
        *sizes(memory), ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=pathlib.Path, help="folder of the networks")
    parser.add_argument("--quick", action="store_true", help="few rounds, to check that everything works")
    arguments = parser.parse_args()
    restarts, rounds, seconds, cold_rounds, memory_rounds = (
        (2, 1, 0.05, 2, 1) if arguments.quick else (6, 5, 0.15, 20, 3))
    load = os.getloadavg()
    results, starts = {}, {}
    for network in NETWORKS:
        print(f"{network.title} …", file=sys.stderr, flush=True)
        results[network] = measure(arguments.models, network, restarts, rounds, seconds)
    for network in COLD:
        print(f"{network.title}, cold …", file=sys.stderr, flush=True)
        starts[network] = cold(arguments.models, network, cold_rounds)
    memory = peaks(arguments.models, COLD[0], memory_rounds)
    written = page(results, starts, memory, restarts, rounds, seconds, cold_rounds, load)
    folder = ROOT / ("target/peers" if arguments.quick else "docs/runs")
    (folder / "performance-peers.md").write_text(written)
    print(written)


if __name__ == "__main__":
    main()
