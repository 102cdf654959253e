"""Compares sets of kernels on one model, in turn, by the processor time of an inference.

    cargo build --release -p bedside-engine --no-default-features --example repeat
    python3 benches/kernels.py MODEL SET... [--rounds N]

MODEL is a prepared model (`bedside pack --prepare`). A time is the difference of two processes, one of which runs RUNS inferences more,
over RUNS. Of those of all rounds the tenth percentile is printed, and its ratio to the first set's. Run nothing else meanwhile.
"""

import argparse
import os
import pathlib
import resource
import subprocess

PROGRAM = pathlib.Path(__file__).parents[1] / "target/release/examples/repeat"
RUNS = 40


def processor_time(model, kernels, count):
    """The processor time of a process with COUNT inferences, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {**os.environ, "BEDSIDE_KERNEL": kernels}
    printed = subprocess.run([PROGRAM, model, str(count)], env=environment, check=True, stdout=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert printed.stdout.startswith(f"kernels {kernels},"), f"{printed.stdout} ran, and not {kernels}"
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("sets", nargs="+", metavar="SET")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    found = {kernels: [] for kernels in arguments.sets}
    for number in range(arguments.rounds):
        # Each second round goes the other way, so that a drift of the machine meets all alike.
        for kernels in arguments.sets if number % 2 == 0 else reversed(arguments.sets):
            few, many = (processor_time(arguments.model, kernels, count) for count in (1, 1 + RUNS))
            found[kernels].append((many - few) / RUNS)
    tenths = {kernels: sorted(times)[len(times) // 10] for kernels, times in found.items()}
    for kernels, tenth in tenths.items():
        print(f"{kernels}: {tenth:.2f} ms, {tenth / tenths[arguments.sets[0]]:.2f} of {arguments.sets[0]}")


if __name__ == "__main__":
    main()
