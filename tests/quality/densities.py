#!/usr/bin/env python3
"""Makes densities.json: what SciPy's normal law and scikit-learn's kernel density say of points, which densities.rs compares with.

    pip install numpy scipy scikit-learn
    python3 tests/quality/densities.py

Points and noise are given by integer formulas, which densities.rs repeats, so that only results are stored.
"""

import json
import pathlib

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize_scalar
from scipy.stats import multivariate_normal
from sklearn.neighbors import KernelDensity

HERE = pathlib.Path(__file__).parent
NOISE = 0.125


def points(count, dimensions, seed, shift=0.0):
    i = np.arange(1, count + 1, dtype=np.int64)[:, None]
    j = np.arange(1, dimensions + 1, dtype=np.int64)[None, :]
    residue = (37 * i * i + 911 * j + 53 * i * j * j + 997 * seed) % 10007
    # The engine's samples are 32-bit numbers.
    return (residue / 5003.5 - 1.0 + shift).astype(np.float32).astype(np.float64)


def noise(shape):
    """In place of normal numbers: any that both sides know."""
    k = np.arange(np.prod(shape), dtype=np.int64).reshape(shape)
    return ((37 * k) % 19) / 8.0 - 1.125


def of_kernels(training, test):
    noisy = (training + NOISE * noise(training.shape)).astype(np.float32).astype(np.float64)

    def left_out(log_deviation):
        deviation = np.exp(log_deviation)
        scores = [
            KernelDensity(bandwidth=deviation).fit(np.delete(training, i, axis=0)).score_samples(noisy[i : i + 1])[0]
            for i in range(len(training))
        ]
        return -np.mean(scores)

    found = minimize_scalar(left_out, bounds=(np.log(NOISE), np.log(4.0)), method="bounded", options={"xatol": 1e-7})
    deviation = float(np.exp(found.x))
    scores = KernelDensity(bandwidth=deviation, rtol=1e-14, atol=0.0).fit(training).score_samples(test)
    return {
        "bandwidth": float(np.sqrt(deviation**2 - NOISE**2)),
        "log_densities": scores.tolist(),
    }


def main():
    training, test = points(50, 3, 1), points(7, 3, 2, 0.25)
    covariance = np.cov(training.T, bias=True) + NOISE**2 * np.eye(3)
    result = {
        "made_with": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        "gaussian": multivariate_normal(training.mean(0), covariance).logpdf(test).tolist(),
        "kernels": of_kernels(training, test),
    }
    (HERE / "densities.json").write_text(json.dumps(result, indent=2) + "\n")


main()
