#!/usr/bin/env bash
# POT's distance between Gaussians is NaN, or an exception about eigenvalues, where covariances come from fewer points than
# dimensions: also between a Gaussian and itself.
#
# One would have sworn that ot.gaussian.bures_wasserstein_distance, the root of the Fréchet distance that generators are
# judged by, is 0 for equal arguments and finite for all covariances, singular ones among them: the definition needs none to
# be invertible. But eigenvalues that should be 0 come out at −1e-17, and their roots are taken as they are. NaN goes into a
# second eigendecomposition, which returns NaN in silence or raises "Eigenvalues did not converge", depending on the size;
# neither says what was wrong.
#
# Seen with POT 0.9.7.post1 (numpy 2.4.6, scipy 1.17.1, Python 3.11), covariances of normal points: 40 points in 64
# dimensions, NaN in 50 of 50 draws (the distance with eigenvalues clipped at 0 is near 7); 5 points in 8, the exception in
# 50 of 50; 100 points in 16, right in all.
#
# Why it matters here: samples of an energy-based model are compared with data in features, often with fewer samples than
# features. A NaN is then the metric's, and not a sign that training has diverged.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check 'POT==0.9.7.post1' 'numpy==2.4.6' 'scipy==1.17.1'

"$folder/env/bin/python" -W ignore - <<'PY'
import sys

import numpy as np
from ot.gaussian import bures_wasserstein_distance

random = np.random.default_rng(1)


def moments(points, dimensions):
    x = random.normal(size=(points, dimensions))
    return x.mean(axis=0), np.cov(x, rowvar=False)


def exact(mean, other_mean, covariance, other):
    """The same distance with eigenvalues below 0 taken for 0."""
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other @ root), 0.0)).sum()
    squared = ((mean - other_mean) ** 2).sum() + np.trace(covariance) + np.trace(other) - 2.0 * cross
    return np.sqrt(max(squared, 0.0))


def trial(points, dimensions, same, draws=50):
    failed, errors, largest = 0, set(), 0.0
    for _ in range(draws):
        mean, covariance = moments(points, dimensions)
        other_mean, other = (mean, covariance) if same else moments(points, dimensions)
        try:
            found = float(bures_wasserstein_distance(mean, other_mean, covariance, other))
        except np.linalg.LinAlgError as error:
            found = float("nan")
            errors.add(str(error))
        failed += not np.isfinite(found)
        expected = exact(mean, other_mean, covariance, other)
        if np.isfinite(found):
            largest = max(largest, abs(found - expected))
    print(f"{points:4} points, {dimensions:3} dimensions, {'equal' if same else 'other'} moments: {failed} of {draws} not finite"
          f"{' (' + '; '.join(errors) + ')' if errors else ''}; the others within {largest:.1e}; last exact {expected:.3f}")
    return failed


singular = [trial(40, 64, same) for same in (True, False)] + [trial(5, 8, same) for same in (True, False)]
regular = trial(100, 16, True) + trial(100, 16, False)
if not (min(singular) >= 40 and regular == 0):
    sys.exit("changed: singular covariances no longer give NaN or an exception, or regular ones do")
print("as described: NaN or an exception for singular covariances, equal ones among them")
PY
