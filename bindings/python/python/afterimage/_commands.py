"""Commands of the command line, each as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import _settings
from ._environment import environment, interpreter, prepare
from ._native import Error
from ._notes import say


def evaluate(
    run: str | os.PathLike[str],
    /,
    *,
    only: str | Sequence[str] | None = None,
    adapter: str | None = None,
    **arguments: Any,
) -> dict[str, Any]:
    """Judges a trained model, as ``afterimage evaluate`` does, and gives the figures of its ``evaluation.json``, which is kept in
    the run's folder. ``docs/evaluation.md`` says what they are.

    Args:
        run: a run, its folder, or a checkpoint.
        only: ``"density"``, ``"likelihood"``, ``"samples"``, ``"stability"``, ``"outside"``, or several of them; by default what
            suits the data.
        adapter: what computes, as for :func:`afterimage.load`.
        arguments: the other arguments of the command, by their names: ``evaluations=100_000``, ``samples=1000``, ``data="…"``,
            ``seed=1``; of the model's data also settings, such as ``**{"data.limit": 100}``.

    Raises:
        ValueError: an argument is unknown, or out of range.
        Error: it failed; the message is that of the command.
    """
    words = ["evaluate", os.fspath(run), *_options({"only": only, "adapter": adapter, **arguments})]
    (figures,) = _lines(words)
    return figures


def sweep(
    source: str | os.PathLike[str],
    /,
    *,
    vary: Mapping[str, Iterable[Any]] | Sequence[str] = (),
    rows: Mapping[str, Mapping[str, Any]] | Sequence[str] = (),
    adapter: str | None = None,
    **arguments: Any,
) -> list[dict[str, Any]]:
    """Trains a preset with settings varied, over several seeds, and compares at equal cost, as ``afterimage sweep`` does.

    Ctrl-C stops it after the step at hand and raises KeyboardInterrupt; the same call goes on where it was stopped.

    Args:
        source: a preset's name or the path of a TOML file.
        vary: settings with the values that they take, of which there are all combinations, such as
            ``{"snapshot.interval": [1, 5, "adaptive"]}``; or as on the command line, ``["snapshot.interval=1,5,adaptive"]``.
        rows: settings of rows of their own by their names, such as ``{"fixed": {"snapshot.kind": "gaussian"}}``; or as on the
            command line.
        adapter: what computes, as for :func:`afterimage.load`.
        arguments: the other arguments of the command, by their names: ``seeds=3``, ``budget="both"``, ``only="density"``,
            ``out="…"``, ``jobs=2``; and settings of all rows, such as ``**{"run.steps": 200}``.

    Returns:
        For each cell its name and its result: ``{"cell": …, "result": {…}}``. The folder, runs/NAME-sweep or ``out``, has tables
        and pictures of them.

    Raises:
        ValueError: an argument is unknown, or out of range.
        Error: a cell failed, or is missing; the message is that of the command.
    """
    if isinstance(vary, Mapping):
        vary = [f"{key}={','.join(map(_settings.literal, values))}" for key, values in vary.items()]
    if isinstance(rows, Mapping):
        rows = [f"{name}: {','.join(_settings.assignments(row))}" for name, row in rows.items()]
    options = _options({"adapter": adapter, **arguments})
    words = ["sweep", os.fspath(source)]
    words += [f"--vary={values}" for values in vary]
    words += [f"--row={row}" for row in rows]
    return _lines([*words, *options])


def _options(arguments: Mapping[str, Any]) -> list[str]:
    """Arguments as they are typed: those with a dot in their names are settings."""
    settings = {name: value for name, value in arguments.items() if "." in name}
    words = [f"--set={assignment}" for assignment in _settings.assignments(settings)]
    for name, value in arguments.items():
        option = "--" + name.replace("_", "-")
        if "." in name or value is None or value is False:
            continue
        if value is True:
            words.append(option)
        elif isinstance(value, (list, tuple)):
            words.append(f"{option}={','.join(map(str, value))}")
        else:
            words.append(f"{option}={os.fspath(value) if isinstance(value, os.PathLike) else value}")
    return words


def _lines(words: list[str]) -> list[dict[str, Any]]:
    """What a command prints as JSON, a line each."""
    prepare()
    process = subprocess.Popen(
        [*interpreter(), *words, "--json", "--quiet"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        encoding="utf-8",
        errors="replace",
        # Ctrl-C is for this process, which asks the other one to stop.
        start_new_session=True,
    )
    try:
        printed, said = process.communicate()
    except BaseException:
        # It stops after its step; whoever interrupts again does not wait for that.
        process.send_signal(signal.SIGTERM)
        try:
            process.communicate()
        except BaseException:
            process.kill()
            raise
        raise
    lines = said.splitlines()
    say(line for line in lines if not line.startswith("error: "))
    if process.returncode == 0:
        return [json.loads(line) for line in printed.splitlines()]
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    message = errors[-1] if errors else f"afterimage {words[0]} ended with {process.returncode}: {said.strip()}"
    # The status of a command line that cannot be read.
    raise ValueError(message) if process.returncode == 2 else Error(message)
