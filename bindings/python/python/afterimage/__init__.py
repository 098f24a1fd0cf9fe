"""Afterimage trains energy-based models on any GPU against frozen snapshots of themselves.

    import afterimage

    run = afterimage.train("8gaussians", **{"run.steps": 500})
    run.model.energy(x)                  # low means likely
    run.model.sample(100, seed=1)
    model = afterimage.load("runs/8gaussians")

All settings are those of the command line: ``afterimage config digits`` prints them with comments. What is said beside results goes
to the logger ``afterimage``: warnings as such, all else as information.
"""

from ._commands import evaluate, sweep
from ._model import LogZ, Model, load
from ._native import DeviceError, DivergedError, Error, FileError, __version__
from ._run import Run
from ._settings import config, presets
from ._train import resume, train

__all__ = [
    "DeviceError",
    "DivergedError",
    "Error",
    "FileError",
    "LogZ",
    "Model",
    "Run",
    "__version__",
    "config",
    "evaluate",
    "load",
    "presets",
    "resume",
    "sweep",
    "train",
]
