"""Training."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from . import _native, _settings
from ._environment import prepare
from ._model import whole
from ._native import DeviceError, DivergedError, FileError
from ._notes import say
from ._progress import progress as progress_of
from ._run import Run

#: Is told the metrics of a step, as a line of ``metrics.jsonl``, and stops the run by False.
OnStep = Callable[[dict[str, Any]], Any]

#: The metrics that a step need not have: None where it has not.
OPTIONAL = frozenset({"data_distance"})


def train(
    source: _settings.Source,
    /,
    *,
    out: str | os.PathLike[str] | None = None,
    force: bool = False,
    seed: int | None = None,
    adapter: str | None = None,
    on_step: OnStep | None = None,
    progress: bool | None = None,
    **settings: Any,
) -> Run:
    """Trains a model as ``afterimage train`` does: the same folder, and the same bits for the same seed.

    Ctrl-C stops the run after the present step and raises KeyboardInterrupt; so does what ``on_step`` raises, by itself. The run
    is kept: the exception has it as ``run``, and :func:`resume` goes on with it. Where it could not be kept, why is the
    ``__cause__`` of the exception. Python hears Ctrl-C on its main thread alone: elsewhere stop by ``on_step``.

    Args:
        source: a preset's name, the path of a TOML file, or sections of settings, such as ``{"run": {"steps": 200}}``.
        out: the run folder to create; by default the first of runs/NAME, runs/NAME-2, … that does not exist yet.
        force: replace the run that is in the folder.
        seed: decides every random number, a whole number from 0; by default the configuration's.
        adapter: what computes, as for :func:`afterimage.load`. Models on it can be used meanwhile.
        on_step: is called after each step, in order, with a dict of its metrics: ``step`` counted from 0, ``loss``, …. What is
            not finite, as in a run that diverges, is NaN; ``data_distance`` is None in steps without one.
            Where it returns False the run stops, which is no failure; steps that the device was handed already are done.
        progress: show how far the run is, by tqdm if that is installed; by default in terminals and notebooks.
        settings: settings by their keys, such as ``**{"snapshot.interval": 5}``; None puts one back to its default.

    Raises:
        ValueError: a setting, or the data that the settings name, cannot be used.
        FileError: the folder holds something, or cannot be written.
        DeviceError: the adapter is not there, or fails and cannot be opened anew.
        DivergedError: training diverged, after it went back ``run.rollbacks`` times.
        KeyboardInterrupt: by Ctrl-C.

    What ends a run after it has begun has it as ``run``, too: a FileError, DeviceError or DivergedError.
    """
    name, sections = _settings.read(source)
    sets = _settings.assignments(settings)
    seed = None if seed is None else whole("seed", seed)
    prepare()
    told = Told(on_step, progress)
    return told.run(lambda: _native.train(name, sections, sets, out, force, seed, adapter, told), adapter)


def resume(
    folder: str | os.PathLike[str],
    /,
    *,
    adapter: str | None = None,
    on_step: OnStep | None = None,
    progress: bool | None = None,
    **settings: Any,
) -> Run:
    """Goes on with a run that was interrupted, from its newest training state, as ``afterimage train --resume`` does: on the same
    adapter to the bits of a run that never was.

    Args:
        folder: the run folder.
        settings: what no step that is left depends on, such as ``**{"run.sample_every": 100}``, and the length of the run,
            ``run.steps``.
        adapter, on_step, progress: as for :func:`train`.

    Raises:
        FileError: there is no run in the folder, or no training state to go on from.
        ValueError: the run is finished, or a setting is not one that may change.
        DeviceError, DivergedError, KeyboardInterrupt: as for :func:`train`.
    """
    sets = _settings.assignments(settings)
    prepare()
    told = Told(on_step, progress)
    return told.run(lambda: _native.resume(folder, sets, adapter, told), adapter, Path(folder))


def metrics_of(line: str) -> dict[str, Any]:
    """The metrics in a line of ``metrics.jsonl``, where null is what is not finite: NaN for that, and None for what a step has not."""
    row: dict[str, Any] = json.loads(line)
    return {name: math.nan if value is None and name not in OPTIONAL else value for name, value in row.items()}


class Told:
    """What the engine tells of a run."""

    def __init__(self, on_step: OnStep | None, progress: bool | None) -> None:
        self._on_step = on_step
        self._progress = progress_of(progress)
        self.folder: Path | None = None

    def __call__(self, kind: str, what: Any) -> bool | None:
        if kind == "note":
            say([what])
        elif kind == "folder":
            # The run has begun in it.
            self.folder = Path(what)
        elif kind == "begin":
            _, done, steps = what
            if self._progress is not None:
                self._progress.begin(done, steps)
        elif kind == "stage":
            if self._progress is not None:
                self._progress.stage(*what)
        elif self._progress is not None or self._on_step is not None:
            row = metrics_of(what)
            if self._progress is not None:
                self._progress.step(row)
            if self._on_step is not None:
                goes_on = self._on_step(row)
                if isinstance(goes_on, (bool, np.bool_)) and not goes_on:
                    return False
        return None

    def close(self) -> None:
        if self._progress is not None:
            self._progress.close()

    def run(
        self,
        begin: Callable[[], tuple[str | None, BaseException | None]],
        adapter: str | None,
        folder: Path | None = None,
    ) -> Run:
        """The run that ``begin`` trains, or what ended it, with the run."""
        try:
            summary, raised = begin()
        except (DivergedError, DeviceError, FileError, KeyboardInterrupt) as error:
            summary, raised = None, error
        finally:
            self.close()
        folder = self.folder or folder
        kept = folder is not None and (folder / "metrics.jsonl").is_file()
        run = Run(folder, adapter) if folder is not None and kept else None
        if raised is not None:
            raised.run = run  # type: ignore[attr-defined]
            # Without a summary it is not known what of the run was kept.
            if run is not None and summary is not None and hasattr(raised, "add_note"):
                ended = json.loads(summary)
                unfinished = ended["stopped"] or ended["cut_short"]
                advice = f": afterimage.resume({str(run.folder)!r}) goes on with it" if unfinished else ""
                raised.add_note(f"the run was kept in {run.folder}{advice}")
            raise raised
        if run is None:
            raise _native.Error("the run left no folder")
        return run
