"""An energy-based model in the conventions of scikit-learn."""

from __future__ import annotations

import copy
import os
import tempfile
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from sklearn.base import BaseEstimator, DensityMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError as missing:
    raise ImportError(f"{missing}: pip install scikit-learn, 1.6 or newer") from missing

import json

from . import _native, _settings
from ._environment import prepare
from ._model import Model, whole
from ._native import Error
from ._train import Told

__all__ = ["EnergyModel"]


class EnergyModel(DensityMixin, BaseEstimator):  # type: ignore[misc]
    """Density estimation by an energy-based model of tables of numbers, p(x) = exp(−E(x)) / Z.

    Columns are brought to mean 0 and deviation 1 first. Nothing is written: for run folders, all settings and images there is
    :func:`afterimage.train`.

    Parameters
    ----------
    hidden : sequence of int, default=(64, 64, 64)
        Outputs of the dense layers before the last one, which has one.
    steps : int, default=1000
        Optimiser steps.
    batch : int, default=256
        Samples per optimiser step.
    rate : float, default=3e-3
        Learning rate at its highest.
    settings : dict or None, default=None
        Other settings by their keys, such as ``{"snapshot.interval": 5}``; they are stronger than the above.
    adapter : str or None, default=None
        What computes, as for :func:`afterimage.load`.
    random_state : int, RandomState or None, default=None
        Decides every random number of training; :meth:`sample` has its own.
    verbose : bool, default=False
        Show progress.

    Attributes
    ----------
    model_ : afterimage.Model
        The model, of columns that were brought to mean 0 and deviation 1.
    mean_, scale_ : ndarray of shape (n_features,)
        Mean and deviation of the columns; a column that does not vary has deviation 1.
    n_iter_ : int
        Optimiser steps done.
    n_features_in_ : int
        Columns.
    """

    def __init__(
        self,
        hidden: Sequence[int] = (64, 64, 64),
        steps: int = 1000,
        batch: int = 256,
        rate: float = 3e-3,
        settings: Mapping[str, Any] | None = None,
        adapter: str | None = None,
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.hidden = hidden
        self.steps = steps
        self.batch = batch
        self.rate = rate
        self.settings = settings
        self.adapter = adapter
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: ArrayLike, y: Any = None) -> EnergyModel:
        """Trains the model. Where that fails, or is interrupted, the estimator stays as it was.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Finite numbers.
        y : ignored

        Returns
        -------
        self

        Raises
        ------
        ValueError
            X or a setting cannot be used.
        afterimage.DivergedError
            Training diverged: lower ``rate``.
        afterimage.DeviceError
            The adapter is not there, or fails.
        """
        # All at once in the end, so that what fails or is interrupted leaves the estimator as it was.
        fitted = copy.copy(self)
        fitted._fit(X)
        self.__dict__ = fitted.__dict__
        return self

    def _fit(self, X: ArrayLike) -> None:
        values: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self.mean_ = values.mean(axis=0)
        scale = values.std(axis=0)
        # A column of one value has a deviation of a few roundings.
        varies = values.max(axis=0) > values.min(axis=0)
        self.scale_ = np.where(varies & (scale > 0), scale, 1.0)
        seed = _seed(self.random_state)
        prepare()
        told = Told(None, bool(self.verbose))
        with tempfile.TemporaryDirectory(prefix="afterimage-") as folder:
            path = os.path.join(folder, "x.npy")
            np.save(path, np.ascontiguousarray(self._standardised(values)))
            sections = json.dumps(self._sections(path))
            sets = _settings.assignments(self.settings or {})
            try:
                native = _native.fit(sections, sets, seed, self.adapter, told)
            finally:
                told.close()
        if native is None:
            raise Error("training was told to stop before its first step")
        self.model_ = Model(native, adapter=self.adapter)
        self.n_iter_ = self.model_.step

    def score_samples(self, X: ArrayLike) -> NDArray[np.float64]:
        """ln p(x) + ln Z = −E(x), by the columns as they are given: the log density up to a constant that is the same for all samples.

        The constant is not known without the annealed chains of ``afterimage evaluate``, so that scores of one model compare, and those
        of two do not.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)

        Returns
        -------
        ndarray of shape (n_samples,)
        """
        check_is_fitted(self, "model_")
        values: NDArray[np.float64] = validate_data(self, X, dtype=np.float64, reset=False)
        energies = self.model_.energy(self._standardised(values)).astype(np.float64)
        return -energies - float(np.log(self.scale_).sum())

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """The mean of :meth:`score_samples`: higher is better, for one model and different data.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
        y : ignored
        """
        return float(np.mean(self.score_samples(X)))

    def sample(self, n_samples: int = 1, random_state: Any = None, steps: int | None = None) -> NDArray[np.float64]:
        """Draws samples from fresh chains.

        Parameters
        ----------
        n_samples : int, default=1
        random_state : int, RandomState or None, default=None
            Decides every random number.
        steps : int or None, default=None
            Steps of the sampler; by default ``run.sample_steps``.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
        """
        check_is_fitted(self, "model_")
        drawn = self.model_.sample(n_samples, seed=_seed(random_state), steps=steps)
        return drawn.astype(np.float64) * self.scale_ + self.mean_

    def _standardised(self, values: NDArray[np.float64]) -> NDArray[np.float32]:
        standard: NDArray[np.float64] = (values - self.mean_) / self.scale_
        return standard.astype(np.float32)

    def _sections(self, path: str) -> dict[str, dict[str, Any]]:
        layers = [{"dense": int(outputs)} for outputs in self.hidden] + [{"dense": 1}]
        return {
            # As it is, and all of it.
            "data": {"source": "npy", "path": path, "low": -4.0, "high": 4.0, "range": [-4.0, 4.0], "held_out": 0.0},
            # A base wider than the data keeps chains from drifting away.
            "network": {"layers": layers, "activation": "silu", "base": "gaussian", "base_std": 2.0, "zero_head": True},
            "objective": {"generator": "logistic", "normaliser": "profiled", "noise_ratio": 1},
            "snapshot": {"interval": 1},
            "sampler": {
                "kind": "mala",
                "chains": "persistent",
                "steps": 4,
                "start": "gaussian",
                "start_std": 2.0,
                "restart": 0.0,
                "diagnose": 0,
                "probe": 0,
            },
            "optimiser": {"rate": self.rate, "schedule": "cosine", "gradient_clip": 1.0},
            "run": {
                "steps": self.steps,
                "batch": self.batch,
                "sample_every": 0,
                "figure_every": 0,
                "checkpoint_seconds": 0.0,
                "rollbacks": 0,
                "keep_snapshots": 0,
            },
        }


def _seed(random_state: Any) -> int:
    if isinstance(random_state, Integral) and not isinstance(random_state, bool):
        return whole("random_state", random_state)
    return int(check_random_state(random_state).randint(0, 1 << 31))
