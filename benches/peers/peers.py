"""Bedside beside its peers on quantized networks: time, threads, cold start, memory, size, and whether they agree.

Each engine is a process that answers questions (`src/asked.rs`); they are asked in turn, so that a machine that drifts
drifts for all, and another one begins in every round. One thread is timed in process CPU time, two threads in wall
time; a figure is the tenth percentile of all runs, since what disturbs a run only makes it longer. All processes are
started anew a few times: of one that reads tens of megabytes, one is a tenth slower or faster than another for all its
life, which its memory's place may be the cause of. The picture lies in the engine's own input before the clock starts.
`cargo xtask bench peers` builds and makes what this needs.

    python benches/peers/peers.py MODELS [--quick]

Writes docs/runs/performance-peers.md; with --quick, few rounds to see that all runs, target/peers/performance-peers.md.
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
OURS, OTHERS = ROOT / "target/release", ROOT / "target/peers/release"

# Between two turns: what an engine's threads do until they sleep is not to be another's burden.
PAUSE_SECONDS = 0.02


@dataclasses.dataclass(frozen=True)
class Network:
    title: str
    file: str
    # At most this multiple: must, aim.
    best: tuple[float, float]
    avx2: tuple[float, float]


NETWORKS = [
    Network("MobileNetV2", "mobilenet-v2", (1.0, 0.8), (0.75, 0.67)),
    Network("EfficientNet-B0", "efficientnet-b0", (1.0, 0.8), (0.80, 0.65)),
    Network("EfficientNet-Lite0", "efficientnet-lite0", (1.0, 0.8), (0.72, 0.65)),
    Network("MobileNetV3-Large", "mobilenet-v3-large", (1.0, 0.7), (0.80, 0.70)),
    Network("ResNet-50", "resnet-50", (1.1, 0.95), (0.90, 0.70)),
]
COLD = NETWORKS[:2]

# Scores with less than this beside exact ones are those of another network: for Bedside the run ends there.
SOUND_DB = 20
MEMORY_LIMIT_MB = 40


@dataclasses.dataclass(frozen=True)
class Contender:
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
BEDSIDE = Contender("Bedside", (OURS / "peer-bedside",))
PREPARED = dataclasses.replace(BEDSIDE, name="Bedside, prepared form", suffix=".prepared")
HELD = dataclasses.replace(BEDSIDE, name="Bedside held to AVX2", environment=(("BEDSIDE_KERNEL", "avx2"),))
ORT = Contender("ONNX Runtime", (OTHERS / "peer-onnxruntime",), environment=LIBRARY)
EXACT = dataclasses.replace(ORT, name="ONNX Runtime, exact", environment=(*LIBRARY, ("ONNXRUNTIME_EXACT", "1")))
OPENVINO = Contender("OpenVINO", python("openvino"))
LITERT = Contender("LiteRT", python("litert"), suffix=".tflite")
TRACT = Contender("tract", (OURS / "peer-tract",))
RTEN = Contender("rten", (OTHERS / "peer-rten",))
ALL = [BEDSIDE, HELD, ORT, EXACT, OPENVINO, LITERT, TRACT, RTEN]
PEERS = [ORT, EXACT, OPENVINO, LITERT, TRACT, RTEN]
THREADED = [BEDSIDE, ORT, OPENVINO, LITERT]
COLD_STARTERS = [BEDSIDE, PREPARED, ORT, OPENVINO, LITERT, TRACT, RTEN]


class Unanswered(Exception):
    """An engine that could not be asked, and what it said."""


class Process:
    """A contender with a network open."""

    def __init__(self, contender, models, network, pictures):
        command, model = contender.command(models, network, pictures)
        if not model.exists():
            raise Unanswered(f"there is no {model.name}")
        self.errors = tempfile.TemporaryFile("w+")
        start = time.perf_counter()
        # Whatever the caller has set for itself is not to choose kernels here.
        environment = {name: value for name, value in os.environ.items() if name != "BEDSIDE_KERNEL"}
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, env={**environment, **dict(contender.environment)})
        self.opened = self.answer()
        self.opened["process_ms"] = (time.perf_counter() - start) * 1e3

    def ask(self, question):
        try:
            print(question, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass
        return self.answer()

    def answer(self):
        while line := self.process.stdout.readline():
            # Libraries that greet do so on standard output too.
            if line[0] in "[{":
                return json.loads(line)
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().strip().splitlines()
        raise Unanswered(said[-1] if said else f"status {self.process.returncode}")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


@dataclasses.dataclass
class Measured:
    """What a network's run has given, by contender."""
    about: dict
    cpu: dict
    wall: dict
    agreement: dict
    failures: dict


def opened(contenders, models, network, failures):
    processes = {}
    for contender in contenders:
        try:
            processes[contender] = Process(contender, models, network, models / "pictures.f32")
        except Unanswered as failure:
            failures[contender] = str(failure)
    for needed in (BEDSIDE, HELD, ORT, EXACT):
        if needed in failures:
            sys.exit(f"{needed.name}, {network.title}: {failures[needed]}")
    if processes[HELD].opened["about"].split()[-1] != "avx2":
        sys.exit(f"{HELD.name}, {network.title}: runs {processes[HELD].opened['about']}")
    return processes


def in_turn(contenders, rounds, ask):
    """Asks each in every round, and begins with another one each time."""
    for number in range(rounds):
        for place in range(len(contenders)):
            ask(contenders[(place + number) % len(contenders)])


def measure(models, network, sittings, rounds, seconds):
    both = [dataclasses.replace(contender, threads=2) for contender in THREADED]
    cpu, wall = (collections.defaultdict(list) for _ in range(2))
    failures = {}

    def turn(contender):
        time.sleep(PAUSE_SECONDS)
        figures = processes[contender].ask(f"time {seconds}")
        cpu[contender] += figures["cpu_ms"]
        wall[contender] += figures["wall_ms"]

    for sitting in range(sittings):
        processes = opened(ALL + both, models, network, failures)
        in_turn(list(processes), rounds, turn)
        if sitting == 0:
            outputs = {contender: np.array(process.ask("outputs")) for contender, process in processes.items()}
        for process in processes.values():
            process.close()
    if not np.array_equal(outputs[BEDSIDE], outputs[HELD]):
        sys.exit(f"{network.title}: Bedside's scores depend on its kernels")
    agreements = {contender: agreement(scores, outputs[EXACT]) for contender, scores in outputs.items()}
    if agreements[BEDSIDE].decibels < SOUND_DB:
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
    """On how many pictures, of how many, the highest score is the reference's; and the signal-to-noise ratio of all."""
    same: int
    pictures: int
    decibels: float

    def __str__(self):
        ratio = "the same scores" if self.decibels == math.inf else f"{self.decibels:.0f} dB"
        told = f"{self.same}/{self.pictures}, {ratio}"
        return told if self.decibels >= SOUND_DB else f"**{told}**"


def agreement(scores, reference):
    same = int((scores.argmax(1) == reference.argmax(1)).sum())
    noise = float(((scores - reference) ** 2).sum())
    decibels = 10 * math.log10(float((reference ** 2).sum()) / noise) if noise else math.inf
    return Agreement(same, len(scores), decibels)


def in_fresh_processes(models, network, rounds, ask):
    """What a process that has just opened the network answers, by contender: one answer a round."""
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
        except Unanswered as failure:
            print(f"{contender.name}, {network.title}: {failure}", file=sys.stderr)

    in_turn(COLD_STARTERS, rounds, turn)
    return {contender: answers[contender] for contender in COLD_STARTERS if contender in answers}


def cold(models, network, rounds):
    """The times of a cold start by contender, the smallest of each."""
    answers = in_fresh_processes(models, network, rounds, lambda process: process.opened)
    return {contender: {key: min(opened[key] for opened in rows) for key in ("load_ms", "first_ms", "process_ms")}
            for contender, rows in answers.items()}


def peaks(models, network, rounds):
    """The largest peak memory in MB by contender: of the process, and over what it had before it opened the file."""
    def ask(process):
        kilobytes = process.ask("time 0.2")["peak_kb"]
        return [value * 1024 / 1e6 for value in (kilobytes, kilobytes - process.opened["before_kb"])]
    return {contender: max(rows) for contender, rows in in_fresh_processes(models, network, rounds, ask).items()}


def stripped(files):
    """The size in MB of what an app would carry, without symbols."""
    size = 0
    with tempfile.TemporaryDirectory() as folder:
        for file in files:
            out = pathlib.Path(folder, file.name)
            subprocess.run(["strip", "--strip-unneeded", "-o", out, file], check=True)
            size += out.stat().st_size
    return size / 1e6


def libraries():
    """By contender: what its library is called here, and its files."""
    def package(name, module, *patterns):
        folder = pathlib.Path(importlib.metadata.distribution(name).locate_file(module))
        return [next(folder.glob(pattern)) for pattern in patterns]
    return {
        BEDSIDE: ("`libbedside.so`, release profile", [OURS / "libbedside.so"]),
        PREPARED: ("the same; smaller without the importer", [OURS / "libbedside.so"]),
        ORT: ("`libonnxruntime.so` of the wheel", [onnxruntime_library()]),
        OPENVINO: ("runtime, CPU plugin, ONNX reader, TBB", package(
            "openvino", "openvino/libs", "libopenvino.so*", "libopenvino_intel_cpu_plugin.so",
            "libopenvino_onnx_frontend.so*", "libtbb.so*")),
        LITERT: ("`libLiteRt.so` of the wheel", package("ai-edge-litert", "ai_edge_litert", "libLiteRt.so")),
        TRACT: ("a program around it", [OURS / "peer-tract"]),
        RTEN: ("a program around it", [OTHERS / "peer-rten"]),
    }


def cpu_name():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    named = dict(line.split("\t", 1) for line in lines if "\t" in line)
    name, flags = (named.get(key, platform.machine()).lstrip("\t: ") for key in ("model name", "flags"))
    flags = flags.split()
    return f"{name} ({', '.join(f for f in ('avx2', 'avx_vnni', 'avx512_vnni') if f in flags)})"


def has_vnni():
    return "vnni" in cpu_name()


# The page.


def table(head, rows):
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]


def judged(ratio, limits):
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
            ours = result.cpu[HELD if contender is EXACT else BEDSIDE]
            theirs = result.cpu.get(contender)
            if theirs is None:
                row.append("–")
            elif contender in PEERS:
                row.append(f"{milliseconds(theirs)} ({ours / theirs:.2f})")
            else:
                row.append(milliseconds(theirs))
        rows.append(row)
    fastest, held = ["the fastest peer"], ["Bedside as a multiple of it"]
    exact = ["Bedside held to AVX2 as a multiple of ONNX Runtime, exact"]
    for network, result in results.items():
        peer = min((contender for contender in PEERS if contender in result.cpu), key=result.cpu.get)
        fastest.append(peer.name)
        ratio = result.cpu[BEDSIDE] / result.cpu[peer]
        # The limits are those of processors with VNNI.
        held.append(judged(ratio, network.best) if has_vnni() else f"{ratio:.2f}")
        exact.append(judged(result.cpu[HELD] / result.cpu[EXACT], network.avx2))
    rows += [fastest, held, ["must · aim, with VNNI", *(limits(network.best) for network in results)], exact,
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
            f"is the same, and the signal-to-noise ratio of all scores, in bold below {SOUND_DB} dB. LiteRT's files are "
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
        rows.append([contender.name, f"{whole:.0f} MB", f"{grown:.0f} MB", f"{stripped(files):.1f} MB", name])
    met = "must met" if memory[BEDSIDE][0] <= MEMORY_LIMIT_MB else "**missed**"
    return ["## Memory and size", "", f"{COLD[0].title}: peak memory of a fresh process that opens the file and "
            "looks at a picture for a fifth of a second; the same less what the process had before it opened the file "
            "(Python and the library, for some); and the library, stripped.", "",
            *table(["", "peak memory", "over the start", "library", "which is"], rows), "",
            f"Bedside's peak at most {MEMORY_LIMIT_MB} MB: {met}."]


def page(results, starts, memory, sittings, rounds, seconds, cold_rounds, load):
    return "\n".join([
        "<!-- Written by `cargo xtask bench peers`. Do not edit. -->", "",
        "# Quantized networks, Bedside beside its peers: the last run", "",
        "`benches/peers/peers.py` says what is measured and how. Models by `benches/models/make.py`, for LiteRT by "
        "`benches/peers/convert.py`.", "",
        f"- Date: {datetime.date.today()}",
        f"- CPU: {cpu_name()}; load before the run {load[0]:.1f}, after it {os.getloadavg()[0]:.1f}",
        f"- {sittings} times {rounds} rounds in turn, each time in fresh processes, at least {seconds} s of each engine a "
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
    parser.add_argument("models", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    sittings, rounds, seconds, cold_rounds, memory_rounds = (
        (2, 1, 0.05, 2, 1) if arguments.quick else (6, 5, 0.15, 20, 3))
    load = os.getloadavg()
    results, starts = {}, {}
    for network in NETWORKS:
        print(f"{network.title} …", file=sys.stderr, flush=True)
        results[network] = measure(arguments.models, network, sittings, rounds, seconds)
    for network in COLD:
        print(f"{network.title}, cold …", file=sys.stderr, flush=True)
        starts[network] = cold(arguments.models, network, cold_rounds)
    memory = peaks(arguments.models, COLD[0], memory_rounds)
    written = page(results, starts, memory, sittings, rounds, seconds, cold_rounds, load)
    folder = ROOT / ("target/peers" if arguments.quick else "docs/runs")
    (folder / "performance-peers.md").write_text(written)
    print(written)


if __name__ == "__main__":
    main()
