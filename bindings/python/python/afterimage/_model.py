"""Trained models."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _native
from ._environment import prepare
from ._native import Error

#: The file of a run folder in which ``afterimage evaluate`` keeps its figures.
EVALUATION = "evaluation.json"


class LogZ(NamedTuple):
    """ln Z of a model, in nats, with the interval that it lies in.

    By annealed chains the interval is of 95 %; by quadrature, in the plane, it is the estimated error on either side.
    """

    value: float
    low: float
    high: float


def load(
    path: str | os.PathLike[str],
    adapter: str | None = None,
    *,
    weights: str = "averaged",
    config: str | os.PathLike[str] | None = None,
) -> Model:
    """Reads a trained model, to compute with it on an adapter.

    Args:
        path: a run or its folder, whose last checkpoint is taken, or a ``.safetensors`` checkpoint.
        adapter: part of the name of an adapter, or its number in ``afterimage devices``; by default what the environment
            variable AFTERIMAGE_ADAPTER says, else the fastest kind that there is. Models that were loaded by the same words share
            a device; by other words for the same adapter they have one each.
        weights: ``"averaged"``, the moving average of the weights, or ``"live"``, what the optimiser moved last.
        config: what describes a checkpoint that another program saved: a run folder, one of its checkpoints, a TOML file or
            a preset. By default the run in whose folder it lies.

    Raises:
        FileError: there is no such model, or its file is damaged.
        DeviceError: there is no such adapter, or it fails.
    """
    if weights not in ("averaged", "live"):
        raise ValueError(f"weights={weights!r}: it may be 'averaged' or 'live'")
    prepare()
    return Model(_native.load(path, config, weights == "live", adapter), Path(path), adapter)


class Model:
    """A trained energy-based model, p(x) = exp(−E(x)) / Z, on a device.

    Samples are arrays in the scale of the model: ``shape`` with any axes before it. It is also enough that the values of a sample
    lie along the last axis, or of one channel rows and columns along the last two. Whatever NumPy can see without a copy is taken
    as it lies: arrays of float32 and CPU tensors of PyTorch among them; float16 and float64 are rounded to float32. Whole numbers
    are refused, since they are rather the raw values of a data set: :meth:`scaled` makes samples of those.

    While it computes, other threads of Python run; they must not write into ``x``. Calls on one device wait for each other, and the
    device keeps the parameters of the model that was asked last. A signal handler that interrupts a call cannot compute on the same
    device, which is an :class:`afterimage.Error`.
    """

    def __init__(self, native: _native.Model, path: Path | None = None, adapter: str | None = None) -> None:
        self._native = native
        self._path = path
        self._adapter = adapter
        self._shape = tuple(native.shape)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles it as the bytes of a checkpoint; whoever unpickles it opens the same adapter."""
        return _unpickled, (packed(self._native), self._path, self._adapter)

    def __deepcopy__(self, memo: Any) -> Model:
        # Nothing of it changes.
        return self

    def __repr__(self) -> str:
        return f"<afterimage.Model of {self._shape}, {self.step} steps, on {self.adapter}>"

    @property
    def shape(self) -> tuple[int, ...]:
        """The sides of a sample: (channels, rows, columns), or (values,) where it has no rows."""
        return self._shape

    @property
    def config(self) -> dict[str, Any]:
        """The settings that it was trained with, by sections; keys that are absent are left out."""
        settings: dict[str, Any] = json.loads(self._native.config)
        return settings

    @property
    def scaling(self) -> dict[str, Any]:
        """How raw data become samples: value = raw · ``scale`` + ``offset``. ``low`` and ``high`` are drawn black and white."""
        scaling: dict[str, Any] = json.loads(self._native.scaling)
        return scaling

    @property
    def step(self) -> int:
        """Optimiser steps that it was trained for."""
        return self._native.step

    @property
    def adapter(self) -> str:
        """What it computes on, in words."""
        return self._native.adapter

    def energy(self, x: ArrayLike) -> NDArray[np.float32]:
        """E(x) of samples, in nats and up to the constant ln Z: low where the model finds them likely.

        Args:
            x: samples, see :class:`Model`.

        Returns:
            float32, of the axes of ``x`` before those of a sample.

        Raises:
            ValueError: ``x`` is not made of samples of the model, or a value of it is not finite.
            DivergedError: an energy is not finite.
            DeviceError: the device failed, or this process was forked from the one that opened it.
            Error: the device is in use by this thread, see :class:`Model`, or a call on it ended by a mistake in afterimage.
            KeyboardInterrupt: by Ctrl-C.
        """
        return self._native.energy(samples(x))

    def gradient(self, x: ArrayLike) -> NDArray[np.float32]:
        """∇E(x) by the values of each sample, in nats per unit of the model's scale; the score is its negative.

        Args:
            x: samples, see :class:`Model`.

        Returns:
            float32, of the shape of ``x``.

        Raises:
            ValueError, DivergedError, DeviceError, Error, KeyboardInterrupt: as for :meth:`energy`.
        """
        return self._native.gradient(samples(x))

    def sample(self, n: int | None = None, *, steps: int | None = None, seed: int | None = None) -> NDArray[np.float32]:
        """Draws samples from fresh chains of the sampler that the model was trained with, as ``afterimage sample`` does.

        Args:
            n: how many; by default the run's ``run.samples``.
            steps: sampler steps; by default the run's ``run.sample_steps``.
            seed: decides every random number: the same seed on the same adapter gives the same bits. By default the run's.

        Returns:
            float32, ``(n, *shape)``, in the scale of the model. Where training added noise to the data, it is taken off.

        Raises:
            ValueError: a number is out of range.
            DivergedError: a chain ran away.
            DeviceError, Error, KeyboardInterrupt: as for :meth:`energy`.
        """
        run = self.config["run"]
        return self._native.sample(
            whole("n", run["samples"] if n is None else n),
            whole("steps", run["sample_steps"] if steps is None else steps),
            whole("seed", run["seed"] if seed is None else seed),
        )

    def scaled(self, raw: ArrayLike) -> NDArray[np.float32]:
        """Raw values of the data set that the model learned from, such as bytes of pictures, as samples."""
        scaling = self.scaling
        values: NDArray[np.float64] = np.asarray(raw, dtype=np.float64) * scaling["scale"] + scaling["offset"]
        return values.astype(np.float32)

    def state_dict(self) -> dict[str, NDArray[np.float32]]:
        """The parameters by the names and in the layouts of PyTorch, such as ``layers.0.weight``; copies."""
        return self._native.state_dict()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a checkpoint, whole or not at all, in place of what is at ``path``.

        Raises:
            FileError: it cannot be written.
        """
        self._native.save(path)

    @property
    def evaluation(self) -> dict[str, Any] | None:
        """The figures that ``afterimage evaluate`` has kept of these weights in the folder of the run; None where it has none.

        Raises:
            FileError: the file cannot be read.
        """
        folder = run_of(self._path)
        figures = None if folder is None else read_json(folder / EVALUATION)
        if figures is None or figures.get("weights_crc32") != self._native.weights_crc32:
            return None
        return figures

    @property
    def log_z(self) -> LogZ:
        """ln Z, with its interval, from the ``evaluation.json`` of the run.

        Raises:
            Error: these weights were not evaluated, or their ln Z was not found valid; the message says how to get it.
        """
        folder = run_of(self._path)
        name = "RUN" if folder is None else str(folder)
        flag, argument = (" --weights live", ", weights='live'") if self._native.weights == "live" else ("", "")
        advice = f"run `afterimage evaluate {name}{flag}`, or afterimage.evaluate({name!r}{argument})"
        figures = self.evaluation
        if figures is None:
            if folder is None:
                raise Error(f"the model lies in no run folder, which would keep its ln Z: train it into one, and {advice}")
            if not self._is_last_of(folder):
                path = str(self._path)
                raise Error(
                    f"the folder of a run keeps ln Z of its last checkpoint, which this is not: afterimage.evaluate({path!r}{argument}) "
                    f"finds that of this one, and `afterimage evaluate {path}{flag} --out DIR` writes it into another folder"
                )
            if (folder / EVALUATION).is_file():
                raise Error(f"{folder / EVALUATION} is of other weights than these: {advice}")
            raise Error(f"ln Z of this model is not known, since it was not evaluated: {advice}")
        if isinstance(figures.get("log_z"), float):
            value, error = figures["log_z"], figures["grid"]["error"]
            return LogZ(value, value - error, value + error)
        likelihood = figures.get("likelihood")
        if likelihood is None:
            if self.config["network"]["base"] != "gaussian":
                raise Error("ln Z is estimated from a Gaussian base, which this model has not: train with network.base = \"gaussian\"")
            raise Error(f"ln Z of this model is not known, since its likelihood was not evaluated: {advice} with --only likelihood")
        found = likelihood.get("log_z")
        if found is None:
            reasons = likelihood.get("not_valid", "")
            reasons = reasons if isinstance(reasons, str) else "; ".join(reasons)
            raise Error(f"ln Z of this model was not found valid: {reasons}")
        low, high = found["interval"]
        return LogZ(found["value"], low, high)

    def _is_last_of(self, run: Path) -> bool:
        """Whether it has the weights of the last checkpoint of a run."""
        if self._path == run:
            return True
        try:
            last = _native.read(run, None, self._native.weights == "live")
        except (Error, ValueError):
            return False
        return last.weights_crc32 == self._native.weights_crc32

    def log_prob(self, x: ArrayLike) -> NDArray[np.float64]:
        """ln p(x) = −E(x) − ln Z of samples, in nats, where ``log_z`` is known. Its interval is that of ``log_z``.

        Args:
            x: samples, see :class:`Model`.

        Returns:
            float64, of the axes of ``x`` before those of a sample.

        Raises:
            Error: ln Z is not known, see :attr:`log_z`.
            ValueError, DivergedError, DeviceError, Error, KeyboardInterrupt: as for :meth:`energy`.
        """
        log_z = self.log_z.value
        return -self.energy(x).astype(np.float64) - log_z


def packed(native: _native.Model) -> bytes:
    """A checkpoint as bytes."""
    with tempfile.TemporaryDirectory(prefix="afterimage-") as folder:
        path = Path(folder) / "model.safetensors"
        native.save(path)
        return path.read_bytes()


def unpacked(checkpoint: bytes, adapter: str | None, *, opened: bool) -> _native.Model:
    """The model that was :func:`packed`, on a device if one is to be ``opened``."""
    with tempfile.TemporaryDirectory(prefix="afterimage-") as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(checkpoint)
        # With the weights that it was saved with: live ones are the only ones of their checkpoint.
        live = None
        if not opened:
            return _native.read(path, None, live)
        prepare()
        return _native.load(path, None, live, adapter)


def _unpickled(checkpoint: bytes, path: Path | None, adapter: str | None) -> Model:
    return Model(unpacked(checkpoint, adapter, opened=True), path, adapter)


def samples(x: Any) -> NDArray[np.float32]:
    """An array as the engine reads it, copied only where it has to be."""
    try:
        array = np.asarray(x)
        if array.dtype == object and hasattr(x, "__dlpack__"):
            array = np.from_dlpack(x)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise ValueError(
            f"x is nothing that NumPy can see as an array ({error}): give an array of float32 in the memory of the processor"
        ) from error
    if array.dtype.kind != "f" or array.dtype.itemsize > 8:
        raise ValueError(
            f"x is of {array.dtype}: give values of float32 in the scale of the model, which Model.scaled makes of raw ones"
        )
    if isinstance(x, np.ma.MaskedArray) and np.any(x.mask):
        raise ValueError("x has masked values, which are no numbers: leave their samples out, or fill them, as by x.filled(0)")
    with np.errstate(over="ignore"):
        # What does not fit is infinite, and is refused for that.
        return np.require(array, np.float32, ["C", "A"])


def whole(name: str, value: Any) -> int:
    """A whole number from 0."""
    try:
        number = value.__index__()
    except (AttributeError, TypeError):
        number = -1
    if isinstance(value, bool) or not 0 <= number < 1 << 63:
        raise ValueError(f"{name}={value!r}: give a whole number from 0")
    return int(number)


def run_of(path: Path | None) -> Path | None:
    """The run folder that a path is, or that a checkpoint lies in."""
    if path is None or path.is_dir():
        return path
    folders = path.absolute().parents[:2]
    return next((folder for folder in folders if (folder / "config.toml").is_file()), None)


def read_json(path: Path) -> dict[str, Any] | None:
    """What a file holds; None where there is no such file."""
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _native.FileError(f"cannot read {path}: {error}") from error
    if not isinstance(figures, dict):
        raise _native.FileError(f"cannot read {path}: it holds no figures")
    return figures
