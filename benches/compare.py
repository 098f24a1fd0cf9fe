#!/usr/bin/env python3
"""Runs `afterimage bench` and PyTorch in turn on the same networks, and prints how much faster Afterimage is.

    cargo build --release
    python3 benches/compare.py                                   on the CPU, through lavapipe
    python3 benches/compare.py --device cuda --modes eager,channels_last,compile,graph
    python3 benches/compare.py --burn --markdown table.md        Burn on the same adapter too; the table into a file
    python3 benches/compare.py --mesa trixie,sid                 on the lavapipe of other Mesas too (benches/mesa.sh: as root)

Needs nothing but Python's standard library itself. PyTorch may live in another Python: name it with --python or the
environment variable AFTERIMAGE_TORCH_PYTHON. Nothing else should run meanwhile. Every round gives each program a
short slice for each network, so that a machine that drifts drifts for all; the table has medians over the rounds,
and the smallest and the largest ratio of a round. A ratio above 1 means that Afterimage is faster.
"""

import argparse
import datetime
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Langevin steps of a full training step.
FULL_STEPS = 40
WORKS = ["langevin", "train", "full"]
# Mesa's device-select layer looks for a display server, and complains where there is none.
ENVIRONMENT = {**os.environ, "NODEVICE_SELECT": "1"}
OURS, TORCH, BURN = "Afterimage", "PyTorch", "Burn"
# The driver that is installed, beside the suites of benches/mesa.sh.
INSTALLED = "installed"


def fail(message):
    sys.exit(f"error: {message}")


class Failed(Exception):
    """A program gave no figures."""


def lines_of(command, program, timeout=None):
    """The JSON lines that a program prints."""
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, timeout=timeout, env=ENVIRONMENT, cwd=HERE.parent
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{program} gave no figure within {timeout:g} s: {' '.join(command)}")
    except OSError as error:
        raise Failed(f"{program} does not start: {error}")
    if done.returncode != 0:
        raise Failed(f"{program} failed (see above): {' '.join(command)}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


class Figures:
    """Milliseconds by program, network, work and the way it was done, one a round."""

    def __init__(self):
        self.headers = {}
        self.ms = {}

    def add(self, program, lines):
        for line in lines:
            if line.get("kind") == "header":
                self.headers[program] = line
                continue
            way = line["mode"] if line["precision"] == "fp32" else f"{line['mode']}, {line['precision']}"
            key = (program, line["net"], line["work"], way)
            self.ms.setdefault(key, []).append(line["ms"])

    def ways(self, program, net):
        return sorted({key[3] for key in self.ms if key[:2] == (program, net)})

    def best(self, program, net, work, tf32):
        """The fastest way by its median: its name and its milliseconds round by round. None if there is none."""
        found = [
            (way, self.ms[program, net, work, way])
            for way in self.ways(program, net)
            if (program, net, work, way) in self.ms and (tf32 or not way.endswith("tf32"))
        ]
        return min(found, key=lambda pair: statistics.median(pair[1]), default=None)

    def of(self, program, net, work, tf32=True):
        """As `best`; a full step is put together from its parts, each done in its own fastest way."""
        if work != "full":
            return self.best(program, net, work, tf32)
        parts = [self.best(program, net, part, tf32) for part in ("langevin", "train")]
        if None in parts:
            return None
        (step_way, step), (update_way, update) = parts
        way = step_way if step_way == update_way else f"{step_way} / {update_way}"
        return way, [FULL_STEPS * a + b for a, b in zip(step, update)]


def number(value):
    """About three digits."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def ratio(peer, ours):
    """How many times as long the peer takes: the median over the rounds, with the extremes."""
    ratios = [a / b for a, b in zip(peer, ours)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def ours_on(driver):
    """What the figures of Afterimage on a driver are kept as."""
    return f"{OURS} on {driver}"


def names(figures, drivers):
    """What the table calls Afterimage on each driver: by the driver's version where there are several."""
    if len(drivers) == 1:
        return [OURS]
    versions = [re.search(r"Mesa [0-9.]+", figures.headers[ours_on(driver)]["adapter"]["driver"]) for driver in drivers]
    return [version[0] if version else f"{OURS}, {driver}" for version, driver in zip(versions, drivers)]


def table(figures, nets, drivers, peers):
    """Rows of cells, the names of the columns first."""
    named = names(figures, drivers)
    titles = ["work", "network"] + [f"{name}, ms" for name in named]
    for peer in peers:
        titles += [f"{peer}, ms"] + [f"{peer} / {name}" for name in named]
    has_tf32 = any(way.endswith("tf32") for net in nets for way in figures.ways(TORCH, net))
    rows = [titles]
    for work in WORKS:
        for net in nets:
            ours = [figures.of(ours_on(driver), net, work) for driver in drivers]
            if None in ours:
                continue
            # With TF32 there are two questions: the fastest there is, and the fastest at equal precision.
            for tf32 in [True, False] if has_tf32 else [True]:
                name = {"langevin": "Langevin step", "train": "update", "full": f"{FULL_STEPS} steps + update"}[work]
                row = [name if tf32 else f"{name}, fp32", net]
                for way, times in ours:
                    # Which kernels suit a driver is a matter of the driver.
                    ms = number(statistics.median(times))
                    row.append(ms if len(drivers) == 1 else f"{ms} ({way})")
                for peer in peers:
                    theirs = figures.of(peer, net, work, tf32)
                    if theirs is None:
                        row += ["no figure"] + ["-"] * len(drivers)
                        continue
                    way, times = theirs
                    ms = number(statistics.median(times))
                    # Only PyTorch has several.
                    row.append(f"{ms} ({way})" if peer == TORCH else ms)
                    row += [ratio(times, own) for _, own in ours]
                rows.append(row)
    return rows


def as_text(rows):
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows)


def as_markdown(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def cpu_name():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def adapter_of(header):
    """What an adapter is, and which kernels run there and why."""
    adapter, kernels = header["adapter"], header["kernels"]
    text = f"{adapter['name']} ({adapter['backend']}), driver {adapter['driver']}"
    return f"{text}, kernels {kernels['family']} ({kernels['why']})"


def facts(figures, drivers, arguments, load):
    """What the table was measured on and with."""
    headers = [figures.headers[ours_on(driver)] for driver in drivers]
    ours, torch = headers[0], figures.headers[TORCH]
    versions = [
        f"afterimage {ours['afterimage']}",
        f"wgpu {ours['wgpu']}",
        f"PyTorch {torch['torch']} on {torch['device']} with {torch['threads']} threads",
    ]
    if BURN in figures.headers:
        versions.append(f"Burn {figures.headers[BURN]['burn']}, wgpu backend on {figures.headers[BURN]['device']}")
    return [
        f"date: {datetime.date.today().isoformat()}",
        f"machine: {cpu_name()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        *[f"adapter: {adapter_of(header)}" for header in headers],
        f"versions: {', '.join(versions)}",
        f"rounds: {arguments.rounds}, in turn, each at least {arguments.seconds:g} s of every kind of work",
        f"load average before the first round: {load}",
    ]


def check_torch(python):
    """Ends where a Python has no PyTorch, before anything is measured."""
    wheels = "https://download.pytorch.org/whl/cpu"
    advice = (
        f"run  {python} -m pip install torch --index-url {wheels}  (or plain  pip install torch  for CUDA), or name "
        "another Python with --python or AFTERIMAGE_TORCH_PYTHON"
    )
    try:
        done = subprocess.run([python, "-c", "import torch"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except OSError as error:
        fail(f"{python} does not start ({error}): name a Python that has PyTorch with --python")
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        fail(f"{python} has no PyTorch that can be imported ({why}): {advice}")


def check_mesa(suite):
    """Fetches a suite's Mesa where it is not there yet."""
    done = subprocess.run([str(HERE / "mesa.sh"), suite, "true"])
    if done.returncode != 0:
        fail(f"the Mesa of {suite} cannot be had (see above): leave it out of --mesa, or be root on Debian or its like")


def build_burn():
    manifest = HERE / "burn" / "Cargo.toml"
    print("building Burn, which takes minutes the first time", file=sys.stderr)
    command = ["cargo", "build", "--release", "--locked", "--manifest-path", str(manifest)]
    if subprocess.run(command).returncode != 0:
        fail("Burn could not be built (see above): leave out --burn, or mend its build")
    return HERE / "burn" / "target" / "release" / "peer-burn"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", default="D,M,C", help="reference networks (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each work in a round (default: %(default)s)")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"], help="PyTorch's (default: %(default)s)")
    parser.add_argument("--modes", default="eager,channels_last", help="PyTorch's (default: %(default)s)")
    parser.add_argument("--adapter", help="as for afterimage")
    parser.add_argument("--afterimage", type=pathlib.Path, default=HERE.parent / "target" / "release" / "afterimage",
                        help="the program (default: target/release/afterimage)")  # fmt: skip
    parser.add_argument("--python", default=os.environ.get("AFTERIMAGE_TORCH_PYTHON", sys.executable),
                        help="a Python that has PyTorch")  # fmt: skip
    parser.add_argument("--mesa", default="", metavar="SUITES",
                        help="also on the lavapipe of these suites of benches/mesa.sh: trixie, sid or both")  # fmt: skip
    parser.add_argument("--burn", action="store_true", help="compare with Burn as well; builds it first")
    parser.add_argument("--burn-timeout", type=float, default=600.0, metavar="S",
                        help="give up on Burn for a network after this long (default: %(default)s)")  # fmt: skip
    parser.add_argument("--markdown", type=pathlib.Path, metavar="FILE", help="also write the table into FILE")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    nets, seconds = arguments.nets.split(","), str(arguments.seconds)
    suites = [suite for suite in arguments.mesa.split(",") if suite]
    if not set(suites) <= {"trixie", "sid"} or len(set(suites)) < len(suites):
        parser.error("--mesa takes trixie, sid or both with a comma between them")
    if not arguments.afterimage.exists():
        fail(f"{arguments.afterimage} does not exist: run  cargo build --release  or name it with --afterimage")

    check_torch(arguments.python)
    for suite in suites:
        check_mesa(suite)

    ours = [str(arguments.afterimage.resolve()), "bench", "--brief", "--json", "--seconds", seconds]
    ours += ["--adapter", arguments.adapter] if arguments.adapter else []
    under = {INSTALLED: [], **{suite: [str(HERE / "mesa.sh"), suite] for suite in suites}}
    drivers = list(under)
    torch = [arguments.python, str(HERE / "peer_torch.py"), "--json", "--seconds", seconds]
    torch += ["--device", arguments.device, "--modes", arguments.modes]
    peers, burn, without_burn = [TORCH], None, set()
    if arguments.burn:
        peers, burn = [TORCH, BURN], build_burn()

    # Other programs hurt those most that wait for one another on all cores, as PyTorch's threads do.
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    figures = Figures()
    for round_number in range(1, arguments.rounds + 1):
        for net in nets:
            print(f"round {round_number} of {arguments.rounds}: {net}", file=sys.stderr)
            try:
                for driver in drivers:
                    name = ours_on(driver)
                    figures.add(name, lines_of([*under[driver], *ours, "--nets", net], name))
                figures.add(TORCH, lines_of([*torch, "--nets", net], TORCH))
            except Failed as failure:
                fail(failure)
            if burn is None or net in without_burn:
                continue
            try:
                command = [str(burn), "--seconds", seconds, "--nets", net]
                figures.add(BURN, lines_of(command, BURN, arguments.burn_timeout))
            except Failed as failure:
                print(f"{failure}; going on without", file=sys.stderr)
                without_burn.add(net)

    rows, about = table(figures, nets, drivers, peers), facts(figures, drivers, arguments, load)
    print(as_text(rows), *about, sep="\n")
    if arguments.markdown:
        text = as_markdown(rows) + "\n\n" + "\n".join(f"- {fact}" for fact in about) + "\n"
        arguments.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
