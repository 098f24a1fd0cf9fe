"""What a run leaves behind."""

from __future__ import annotations

import json
import os
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _native
from ._model import Model, load, read_json
from ._native import FileError


class Run:
    """A run folder, as ``afterimage train`` leaves it; everything is read from there when it is asked for first. It stands for the path
    of the folder wherever one is asked for.

    Args:
        folder: the run folder.
        adapter: what :attr:`model` computes on, as for :func:`afterimage.load`.

    Raises:
        FileError: the folder holds no run.
    """

    def __init__(self, folder: str | os.PathLike[str], adapter: str | None = None) -> None:
        self.folder = Path(folder)
        self._adapter = adapter
        if not (self.folder / "metrics.jsonl").is_file():
            raise FileError(f"{self.folder} holds no run: name the folder of one")

    def __repr__(self) -> str:
        return f"<afterimage.Run in {self.folder}>"

    def __fspath__(self) -> str:
        return os.fspath(self.folder)

    @cached_property
    def model(self) -> Model:
        """The model of the last checkpoint, see :func:`afterimage.load`."""
        return load(self.folder, self._adapter)

    @cached_property
    def metrics(self) -> dict[str, NDArray[Any]]:
        """``metrics.jsonl``: an array for each metric, a value for each step; what a step has not is NaN."""
        rows = _lines(self.folder / "metrics.jsonl")
        names = dict.fromkeys(name for row in rows for name in row)
        return {name: _column([row.get(name) for row in rows]) for name in names}

    @cached_property
    def diagnostics(self) -> list[dict[str, Any]]:
        """``diagnostics.jsonl``: what the chains of a pass said, R-hat and effective sample sizes among it, for each pass that was
        looked at; empty where none was."""
        path = self.folder / "diagnostics.jsonl"
        return _lines(path) if path.is_file() else []

    @cached_property
    def traces(self) -> NDArray[np.float32] | None:
        """``traces.npy``: what the last look at the chains was told from, (chain, draw, quantity), the quantities being the energy
        and three projections; None of a run without ``sampler.traces = true``."""
        path = self.folder / "traces.npy"
        return np.load(path) if path.is_file() else None

    @cached_property
    def summary(self) -> dict[str, Any]:
        """``summary.json``: what the run says of itself.

        Raises:
            FileError: the run has not come to its end.
        """
        summary = read_json(self.folder / "summary.json")
        if summary is None:
            raise FileError(f"the run in {self.folder} has no summary.json, since it has not come to its end")
        return summary

    @property
    def config(self) -> dict[str, Any]:
        """The settings, by sections; keys that are absent are left out."""
        return self._read.config

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """What ``afterimage evaluate`` has found of :attr:`model`; None where it was not evaluated."""
        return self._read.evaluation

    @cached_property
    def _read(self) -> Model:
        """The model without a device."""
        return Model(_native.read(self.folder, None, False), self.folder)


def _lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of JSON lines; the last one may still be being written."""
    try:
        text = path.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {path}: {error}") from error


def _column(values: list[Any]) -> NDArray[Any]:
    """An array of what rows say: whole numbers where all are, else numbers with NaN for what is missing."""
    if all(isinstance(value, int) for value in values):
        return np.array(values)
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
