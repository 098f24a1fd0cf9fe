#!/usr/bin/env python3
"""Compares noise schedules on planar sets by the exact KL divergence, and prints a table for docs/recipes.md.

    cargo build --release && python3 benches/schedules.py [--out runs/schedules]

Every schedule trains the same preset twice: for the same number of optimiser steps, and for the same number of
energy-gradient evaluations, which for a schedule whose noise lasts means several optimiser steps on one pool of noise
(sampler.reuse). Finished runs are kept and not repeated, so that an interrupted comparison goes on where it was.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Optimiser steps on one pool where the budget is one of evaluations.
REUSE = 10
PROFILED = ["objective.normaliser=profiled"]
# Name, assignments, and whether one pool may serve several updates.
SCHEDULES = [
    ("K = 1", ["snapshot.interval=1"], False),
    ("K = 10", ["snapshot.interval=10", *PROFILED], True),
    ("K = 100", ["snapshot.interval=100", *PROFILED], True),
    ("K = 1000", ["snapshot.interval=1000", *PROFILED], True),
    ("adaptive", ["snapshot.interval=adaptive", "snapshot.max_interval=1000", *PROFILED], True),
    ("ema 0.99", ["snapshot.kind=ema", "snapshot.decay=0.99", *PROFILED], False),
    ("mixture of 4, K = 10", ["snapshot.kind=mixture", "snapshot.interval=10", *PROFILED], True),
    (
        "contrastive divergence",
        ["objective.generator=contrastive-divergence", "snapshot.interval=1"],
        False,
    ),
    ("fixed Gaussian", ["snapshot.kind=gaussian", *PROFILED], False),
    ("fixed uniform", ["snapshot.kind=uniform", *PROFILED], False),
]
# Of the averaged weights.
FIGURES = ("kl_data_model", "kl_model_data", "total_variation", "model_mode_coverage")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default="target/release/afterimage")
    parser.add_argument("--sets", default="8gaussians,pinwheel", help="presets of planar sets")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600, help="optimiser steps of the first budget")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at a time")
    parser.add_argument("--out", type=Path, default=Path("runs/schedules"))
    arguments = parser.parse_args()

    arguments.out.mkdir(parents=True, exist_ok=True)
    jobs = list(all_jobs(arguments))
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = []
        for done, result in enumerate(pool.map(lambda job: carry_out(arguments, job), jobs), 1):
            results.append(result)
            kl = result.get("kl_data_model")
            outcome = result.get("error") or f"KL {kl:.4f}"
            print(f"{done}/{len(jobs)} {result['name']}: {outcome}", file=sys.stderr)
    print(table(arguments, results))


def all_jobs(arguments):
    """Every run: its name, preset, schedule, budget and assignments."""
    for preset in arguments.sets.split(","):
        for schedule, sets, reusable in SCHEDULES:
            budgets = {"steps": (1, arguments.steps)}
            if reusable:
                budgets["evaluations"] = (REUSE, arguments.steps * REUSE)
            for budget, (reuse, steps) in budgets.items():
                for seed in range(1, arguments.seeds + 1):
                    name = f"{preset}-{schedule}-{budget}-{seed}".replace(" ", "")
                    yield {
                        "name": name,
                        "preset": preset,
                        "schedule": schedule,
                        "budget": budget,
                        "sets": [
                            *sets,
                            f"sampler.reuse={reuse}",
                            f"run.steps={steps}",
                            f"run.seed={seed}",
                            "run.sample_every=0",
                            "run.sample_steps=10",
                            "sampler.diagnose=0",
                            "sampler.probe=0",
                        ],
                    }


def carry_out(arguments, job):
    """Trains and evaluates, unless that has been done."""
    folder = arguments.out / job["name"]
    known = folder / "figures.json"
    if known.exists():
        result = json.loads(known.read_text())
        # Figures of other settings are none of this comparison's.
        if result["sets"] == job["sets"]:
            return result
    # Runs side by side share the processors, so each of them takes one.
    environment = {**os.environ, "LP_NUM_THREADS": "1"} if arguments.jobs > 1 else None
    train = [arguments.binary, "train", job["preset"], "--quiet", "--force", "--out", str(folder)]
    for assignment in job["sets"]:
        train += ["--set", assignment]
    trained = subprocess.run(train, env=environment, capture_output=True, text=True)
    result = {key: job[key] for key in ("name", "preset", "schedule", "budget", "sets")}
    if trained.returncode != 0:
        # A run that diverges is a result, too; anything else is a mistake.
        if "diverged" not in trained.stderr:
            sys.exit(f"{' '.join(train)}\n{trained.stderr}")
        result["error"] = "diverged"
    else:
        evaluate = [arguments.binary, "evaluate", str(folder), "--quiet", "--json", "--count", "0"]
        evaluate += ["--tolerance", "1e-3"]
        evaluated = subprocess.run(evaluate, env=environment, capture_output=True, text=True)
        if evaluated.returncode != 0:
            # What a model has become is a result, too.
            result["error"] = evaluated.stderr.strip().splitlines()[-1]
            known.write_text(json.dumps(result))
            return result
        figures = json.loads(evaluated.stdout)
        result |= {key: figures[key] for key in FIGURES}
        rows = [json.loads(line) for line in (folder / "metrics.jsonl").open()]
        result["evaluations"] = rows[-1]["gradient_evaluations"]
        result["refreshes"] = sum(row["snapshot_age"] == 0 for row in rows)
        result["ess"] = statistics.median(row["ess"] for row in rows)
    known.write_text(json.dumps(result))
    return result


def table(arguments, results):
    """Markdown: a row for every schedule, a column for every set and budget."""
    presets = arguments.sets.split(",")
    lines = [
        f"KL(data‖model) in nats, median (least–most) of {arguments.seeds} seeds; {arguments.steps} optimiser steps,",
        f"or with {REUSE} on one pool of noise for the same number of energy-gradient evaluations, which follow in millions.",
        "",
        "| schedule | " + " | ".join(f"{p}, equal steps | {p}, equal evaluations" for p in presets) + " |",
        "|---|" + "---|" * (2 * len(presets)),
    ]
    for schedule, _, reusable in SCHEDULES:
        cells = []
        for preset in presets:
            for budget in ("steps", "evaluations"):
                if budget == "evaluations" and not reusable:
                    fixed = schedule.startswith("fixed")
                    cells.append("takes none" if fixed else "the same")
                    continue
                runs = [
                    r
                    for r in results
                    if (r["preset"], r["schedule"], r["budget"]) == (preset, schedule, budget)
                ]
                cells.append(cell(runs))
        lines.append(f"| {schedule} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cell(runs):
    """The figures of the seeds of one schedule."""
    values = sorted(run["kl_data_model"] for run in runs if "error" not in run)
    failed = len(runs) - len(values)
    note = f", {failed} failed" if failed else ""
    if not values:
        return f"all {failed} failed"
    spent = max(run["evaluations"] for run in runs if "error" not in run) / 1e6
    return f"{statistics.median(values):.3f} ({values[0]:.3f}–{values[-1]:.3f}){note}; {spent:.1f} M"


if __name__ == "__main__":
    main()
