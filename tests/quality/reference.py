#!/usr/bin/env python3
"""Makes reference.json: figures of sample quality by SciPy, scikit-learn and PyTorch, which tests/quality/ compares with.

    pip install numpy scipy scikit-learn torch safetensors
    python3 tests/quality/reference.py

Inputs are points by an integer formula, which tests/quality/main.rs repeats, so that only results are stored. Wherever a
library has the figure, or a part of it that is not trivial, it is the library's.
"""

import importlib
import json
import pathlib
import sys

import numpy as np
import scipy
import sklearn
import torch
from safetensors.torch import load_file
from scipy.linalg import sqrtm
from scipy.optimize import linear_sum_assignment
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.metrics.pairwise import polynomial_kernel, rbf_kernel
from sklearn.neighbors import NearestNeighbors

HERE = pathlib.Path(__file__).parent
CLASSIFIERS = HERE.parent.parent / "assets" / "classifiers"


def points(count, dimensions, seed, shift=0.0):
    i = np.arange(1, count + 1, dtype=np.int64)[:, None]
    j = np.arange(1, dimensions + 1, dtype=np.int64)[None, :]
    residue = (37 * i * i + 911 * j + 53 * i * j * j + 997 * seed) % 10007
    return residue / 5003.5 - 1.0 + shift


def frechet(x, y):
    s, t = np.cov(x.T), np.cov(y.T)
    root = sqrtm(s @ t)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * np.real(np.trace(root)))


def mmd(k, n):
    """The unbiased estimate from the kernel matrix of the two sets one after the other (Gretton et al. 2012, eq. 3)."""
    m = len(k) - n
    within = lambda part: (part.sum() - np.trace(part)) / (len(part) * (len(part) - 1))
    return float(within(k[:n, :n]) + within(k[n:, n:]) - 2 * k[:n, n:].sum() / (n * m))


def radii(x, k):
    # The first neighbour of a point of the set is the point itself.
    return NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, -1]


def prdc(real, generated, k):
    """As the authors' code of `prdc` has it, with radii by scikit-learn."""
    distances = np.sqrt(((real[:, None] - generated[None]) ** 2).sum(-1))
    real_radii, generated_radii = radii(real, k), radii(generated, k)
    inside_real = distances < real_radii[:, None]
    return {
        "precision": float(inside_real.any(0).mean()),
        "recall": float((distances < generated_radii[None]).any(1).mean()),
        "density": float(inside_real.sum(0).mean() / k),
        "coverage": float((distances.min(1) < real_radii).mean()),
    }


def sliced(x, y, directions):
    """Exact transport in one dimension, as an assignment of copies that make the counts equal."""
    copies = np.lcm(len(x), len(y))
    total = 0.0
    for direction in directions:
        a, b = np.repeat(x @ direction, copies // len(x)), np.repeat(y @ direction, copies // len(y))
        cost = (a[:, None] - b[None]) ** 2
        total += cost[linear_sum_assignment(cost)].mean()
    return float(np.sqrt(total / len(directions)))


def stein(x, scores, c):
    """The U-statistic of the Stein kernel, whose derivatives are PyTorch's."""
    dimensions = x.shape[1]

    def kernel(a, b):
        return (c**2 + ((a - b) ** 2).sum()) ** -0.5

    total = 0.0
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                a, b = torch.tensor(x[i]), torch.tensor(x[j])
                s, t = torch.tensor(scores[i]), torch.tensor(scores[j])
                by_a, by_b = torch.autograd.functional.jacobian(kernel, (a, b))
                mixed = torch.autograd.functional.hessian(kernel, (a, b))[0][1]
                total += (s @ t * kernel(a, b) + s @ by_b + t @ by_a + mixed.trace()).item()
    return total / (len(x) * (len(x) - 1))


def classifier(name, side, features):
    """Every ninth of the features, which so many modules give, and the scores."""
    sys.path.insert(0, str(CLASSIFIERS))
    net = importlib.import_module(name).network().double()
    net.load_state_dict(load_file(CLASSIFIERS / f"{name}.safetensors"))
    x = torch.tensor(points(5, side * side, 9)).reshape(-1, 1, side, side)
    with torch.no_grad():
        return {"features": net[:features](x)[:, ::9].flatten().tolist(), "scores": net(x).flatten().tolist()}


def main():
    x, y = points(60, 5, 1), points(48, 5, 2, 0.25)
    few, wide = points(12, 20, 3), points(15, 20, 4)
    pooled = np.concatenate([x, y])
    squared = ((pooled[:, None] - pooled[None]) ** 2).sum(-1)
    median = float(np.median(squared[np.triu_indices(len(pooled), 1)]))
    model = LogisticRegression(C=1.0, tol=1e-12, max_iter=10000)
    labels = np.r_[np.zeros(len(x)), np.ones(len(y))]
    model.fit(pooled, labels)
    tied_in, tied_out = np.arange(30) * 7 % 11, np.arange(40) * 5 % 13 + 2
    reference = {
        "versions": {lib.__name__: lib.__version__ for lib in (np, scipy, sklearn, torch)},
        "frechet": frechet(x, y),
        "frechet_few": frechet(few, wide),
        "kernel_distance": mmd(polynomial_kernel(pooled, degree=3, gamma=1 / 5, coef0=1), len(x)),
        "median_squared_distance": median,
        "gaussian_mmd": mmd(rbf_kernel(pooled, gamma=1 / (2 * median)), len(x)),
        "prdc_3": prdc(x, y, 3),
        "prdc_5": prdc(x, y, 5),
        "sliced": sliced(x, y, np.eye(5)[[0, 3]] * 0.8 + np.eye(5)[[1, 4]] * 0.6),
        "logistic": [*model.coef_[0].tolist(), float(model.intercept_[0])],
        "auroc": float(roc_auc_score(np.r_[np.zeros(30), np.ones(40)], np.r_[tied_in, tied_out])),
        "binomial_17_of_40": list(binomtest(17, 40).proportion_ci(0.95, "exact")),
        "binomial_0_of_40": list(binomtest(0, 40).proportion_ci(0.95, "exact")),
        "nearest": NearestNeighbors(n_neighbors=1).fit(x).kneighbors(y)[0][:, 0].tolist(),
        "nearest_index": NearestNeighbors(n_neighbors=1).fit(x).kneighbors(y)[1][:, 0].tolist(),
        "stein": stein(x[:20], -y[:20], 1.3),
        "digits_classifier": classifier("digits", 8, 7),
        "mnist_classifier": classifier("mnist", 28, 9),
    }
    (HERE / "reference.json").write_text(json.dumps(reference, indent=1) + "\n")


if __name__ == "__main__":
    main()
