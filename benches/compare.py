"""Compares Bedside with ONNX Runtime and Pillow in one run, and writes docs/runs/performance-run.md.

    python benches/compare.py target/release/bedside

It reads the skin-lesion model and one sample picture. Each contender runs in processes of its own, and rounds alternate
between contenders, so that a change of the machine's speed affects all of them. A figure is the median over rounds of
the round's median, in milliseconds of wall time on one thread. A ratio is the median of the ratios of each round. Peak
memory is the maximum of three fresh processes that classify the picture once.

The script starts itself with the argument `peer` for a round of ONNX Runtime.
"""

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODEL = ROOT / "models/skin-lesion/model.onnx"

ROUNDS = 7
SECONDS = 2.0


def sample():
    """The path of the sample picture that is enlarged."""
    return sorted((ROOT / "models/samples").glob("ISIC_*.jpg"))[0]


def session(exact, path=MODEL):
    import onnxruntime as ort
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if exact:
        options.add_session_config_entry("session.x64quantprecision", "1")
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def preprocessed(source, draft):
    """The model's input, 1×3×224×224 float32, from an encoded picture, preprocessed as in training."""
    import io

    import numpy as np
    from PIL import Image
    image = Image.open(io.BytesIO(source))
    if draft:
        image.draft("RGB", (448, 448))
    image = image.convert("RGB").resize((224, 224), Image.BILINEAR)
    pixels = np.asarray(image, np.float32) / 255
    return ((pixels - 128 / 255) / (128 / 255)).transpose(2, 0, 1)[None].astype(np.float32)


def median_ms(run):
    """The median time of a call in milliseconds, over `SECONDS` seconds and after three calls that are not counted."""
    for _ in range(3):
        run()
    times, end = [], time.perf_counter() + SECONDS
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def peer(exact, picture, draft, once):
    """One round of ONNX Runtime in this process. Prints the figures as JSON, or nothing if `once` is set."""
    start = time.perf_counter()
    import numpy as np
    model = session(exact)
    name = model.get_inputs()[0].name
    model.run(None, {name: np.zeros((1, 3, 224, 224), np.float32)})
    cold = (time.perf_counter() - start) * 1e3
    source = pathlib.Path(picture).read_bytes()
    if once:
        model.run(None, {name: preprocessed(source, draft)})
        return
    fixed = preprocessed(source, draft)
    print(json.dumps({
        "cold_ms": cold,
        "steady_ms": median_ms(lambda: model.run(None, {name: fixed})),
        "image_ms": median_ms(lambda: model.run(None, {name: preprocessed(source, draft)})),
    }))


def measured(command):
    """The standard output of a command and its peak memory in MB."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command}: failed, status {process.returncode}")
    return output, usage.ru_maxrss * 1024 / 1e6


def bedside_round(binary, picture):
    command = [binary, "bench", MODEL, "--image", picture, "--seconds", str(SECONDS), "--json"]
    figures = json.loads(measured(command)[0])
    return {**figures, "steady_ms": figures["steady_ms"]["median"]}


def contenders(binary, picture):
    """{name: (function that gives the figures of one round, command that classifies the picture once)}."""
    def python(*arguments):
        return [sys.executable, __file__, "peer", *arguments, picture]

    def peer_round(*arguments):
        return lambda: json.loads(measured(python(*arguments))[0])

    answers = ["--answer", "dermatoscope=yes", "--answer", "mole_like=yes"]
    once = [binary, "classify", picture, "--model", MODEL, *answers, "--json"]
    return {
        "Bedside": (lambda: bedside_round(binary, picture), once),
        "ONNX Runtime, Pillow full": (peer_round("fast", "full", "many"), python("fast", "full", "once")),
        "ONNX Runtime, Pillow `draft`": (peer_round("fast", "draft", "many"), python("fast", "draft", "once")),
        "ONNX Runtime exact, Pillow full": (peer_round("exact", "full", "many"), python("exact", "full", "once")),
    }


def cpu():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("flags"):
            flags = set(line.split())
        if line.startswith("model name"):
            name = line.split(": ")[1]
    return f"{name} ({', '.join(f for f in ('avx2', 'avx_vnni', 'avx512_vnni') if f in flags)})"


def main(binary):
    picture = ROOT / "target/bench/12-megapixels.jpg"
    # This runs in a process of its own, because the peak memory of a child starts at that of its parent.
    subprocess.run([sys.executable, ROOT / "benches/enlarge.py", sample(), picture], check=True)
    runs = contenders(binary, str(picture))
    rounds = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, (run_round, _) in runs.items():
            rounds[name].append(run_round())
    peaks = {name: max(measured(once)[1] for _ in range(3)) for name, (_, once) in runs.items()}

    ours = rounds["Bedside"]
    page = ["<!-- Written by `cargo xtask bench`. Do not edit. -->", "", "# Bedside beside its peers: the last run", "",
            "`benches/compare.py` says what is measured and how.", "", f"- Date: {datetime.date.today()}", f"- CPU: {cpu()}",
            f"- Model: `{MODEL.relative_to(ROOT)}`; picture: `{sample().name}` enlarged to 12 megapixels "
            f"({picture.stat().st_size / 1e6:.1f} MB), `benches/enlarge.py`",
            f"- One thread, {ROUNDS} rounds in turn, wall milliseconds; in brackets the time as a multiple of Bedside's",
            "", "| | cold start | one inference | 12 MP, bytes to result | peak memory, one picture |",
            "|---|---|---|---|---|"]
    for name, figures in rounds.items():
        cells = []
        for key in ("cold_ms", "steady_ms", "image_ms"):
            values = [f[key] for f in figures]
            ratio = statistics.median(f[key] / o[key] for f, o in zip(figures, ours))
            cells.append(f"{statistics.median(values):.1f} ({ratio:.2f})")
        page.append(f"| {name} | {' | '.join(cells)} | {peaks[name]:.0f} MB |")
    page += ["", "Cold start of the Python peers leaves out starting Python but not importing ONNX Runtime; their memory "
             "includes Python.", ""]
    (ROOT / "docs/runs/performance-run.md").write_text("\n".join(page))
    print("\n".join(page))


if __name__ == "__main__":
    if sys.argv[1] == "peer":
        peer(sys.argv[2] == "exact", sys.argv[5], sys.argv[3] == "draft", sys.argv[4] == "once")
    else:
        main(sys.argv[1])
