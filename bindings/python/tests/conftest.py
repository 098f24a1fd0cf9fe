"""Small runs, each trained once."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import afterimage

#: Networks and runs that take a second or two.
POINTS = {
    "network.layers": [{"dense": 8}, {"dense": 1}],
    "run.steps": 6,
    "run.batch": 32,
    "run.sample_every": 0,
    "run.samples": 9,
    "run.sample_steps": 4,
    "sampler.buffer": 128,
    "sampler.probe": 16,
    "sampler.diagnose": 2,
}
IMAGES = {
    **POINTS,
    "network.layers": [{"conv": 4, "kernel": 3, "stride": 2, "padding": 1}, {"dense": 1}],
    "network.zero_head": False,
    "sampler.steps": 4,
    "run.figure_every": 0,
}


def command(*words, cwd=None):
    """Runs the command line that the package contains."""
    environment = {**os.environ, "PYTHONSAFEPATH": "1"}
    return subprocess.run(
        [sys.executable, "-m", "afterimage", *map(os.fspath, words)],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        cwd=cwd,
        timeout=300,
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def points(folder) -> afterimage.Run:
    """A run of moons, with traces."""
    settings = {**POINTS, "sampler.traces": True}
    return afterimage.train("moons", out=folder / "points", seed=3, progress=False, **settings)


@pytest.fixture(scope="session")
def images(folder) -> afterimage.Run:
    """A run of digits."""
    return afterimage.train("digits", out=folder / "images", seed=3, progress=False, **IMAGES)


@pytest.fixture
def digits() -> np.ndarray:
    return np.sin(0.7 * np.arange(5 * 64, dtype=np.float32)).reshape(5, 1, 8, 8)
