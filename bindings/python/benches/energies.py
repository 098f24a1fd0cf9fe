#!/usr/bin/env python3
"""What the way through Python costs: scores 128 digits through the package and by the engine itself, in turns, and prints the ratio of
the times.

    PYO3_BUILD_EXTENSION_MODULE=1 cargo build --release -p afterimage-python --example energies
    python bindings/python/benches/energies.py target/release/examples/energies

The engine itself is the example `energies`, which scores on a line from its standard input and prints how long that took.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import afterimage

COUNT = 128
CALLS = 300
#: Calls before these, the first of which compile.
WARMING = 10


def quartiles(times):
    return np.quantile(times, [0.25, 0.5, 0.75]) * 1e3


def main():
    engine = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        # The network of the preset, whose energies take as long before training as after it.
        settings = {"run.steps": 1, "run.sample_every": 0, "run.sample_steps": 2, "sampler.probe": 0}
        run = afterimage.train("digits", out=Path(folder) / "run", progress=False, **settings)
        model = run.model
        x = np.sin(0.7 * np.arange(COUNT * 64, dtype=np.float32)).reshape(COUNT, 1, 8, 8)
        (Path(folder) / "x.f32").write_bytes(x.tobytes())
        checkpoint = run.summary["checkpoint"]
        process = subprocess.Popen(
            [engine, checkpoint, Path(folder) / "x.f32"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

        def by_engine():
            process.stdin.write("\n")
            process.stdin.flush()
            took, total = process.stdout.readline().split()
            return float(took), float(total)

        def through_python():
            start = time.perf_counter()
            energies = model.energy(x)
            return time.perf_counter() - start, float(energies.astype(np.float64).sum())

        times = {by_engine: [], through_python: []}
        for call in range(CALLS + WARMING):
            # Neither is always the one that comes after the other.
            ways = [by_engine, through_python] if call % 2 == 0 else [through_python, by_engine]
            found = {way: way() for way in ways}
            if call >= WARMING:
                for way in ways:
                    times[way].append(found[way][0])
        process.stdin.close()
        if process.wait(timeout=60):
            sys.exit("error: the engine failed")
        sums = [found[way][1] for way in times]
        if abs(sums[0] - sums[1]) > 1e-3 * max(1, abs(sums[0])):
            sys.exit(f"error: the energies differ: their sums are {sums}")
    print(f"energies of {COUNT} digits, {CALLS} calls each way in turns, on {model.adapter}")
    rows = {"engine": quartiles(times[by_engine]), "through Python": quartiles(times[through_python])}
    for way, (low, middle, high) in rows.items():
        print(f"{way:14} {middle:8.3f} ms, half of them within {low:.3f} and {high:.3f}")
    ratios = rows["through Python"] / rows["engine"]
    print(f"ratio          {ratios[1]:8.3f}, and {ratios[0]:.3f} of the faster quarters")


if __name__ == "__main__":
    main()
