#!/usr/bin/env bash
# pymbar's bar() answers 0 ± 0 for a single infinite work, and an error of NaN for a single work of 1,000.
#
# One would have sworn that Bennett's acceptance ratio bears any work: each enters through a logistic function, so that an
# infinite one counts as exactly nothing, and one of 1,000 as much less than can be seen. Instead a single infinite work
# makes bar() answer a difference of 0.0 with an uncertainty of 0.0: a warning in the log says that it is a guess, the
# returned value does not. A single finite work some 745 above the answer (beyond what exp(−w) holds in doubles) leaves the
# difference right and makes its uncertainty NaN, by either method for it. Works of 700 are borne.
#
# Seen with pymbar 4.0.3 (numpy 2.4.6, scipy 1.17.1, Python 3.11): from a standard normal to the same law between walls at
# ±0.1, whose log-normaliser difference is 2.53. Walls of energy 700: 2.47 ± 0.07. Walls of energy 1,000: 2.47 ± NaN.
# Infinite walls: 0.0 ± 0.0, where Bennett's equation, solved as it stands, still has the root 2.47.
#
# Why it matters here: BAR between snapshots is how log Z of an energy-based model is reported. Box-shaped bases have
# infinite walls, and works above 745 need no bad overlap: from a normal to one a tenth as wide, in one dimension, 7 of 200
# tries with 200 works each way had an error of NaN.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install --quiet --disable-pip-version-check 'pymbar==4.0.3' 'numpy==2.4.6' 'scipy==1.17.1' 'numexpr==2.14.2'

"$folder/env/bin/python" -W ignore - 2>"$folder/log" <<'PY' || { cat "$folder/log" >&2; exit 1; }
import math
import sys

import numpy as np
from pymbar import bar
from scipy.optimize import brentq
from scipy.special import expit

random = np.random.default_rng(1)
count = 2000
normal = random.normal(size=count)
inside = random.normal(size=60 * count)
inside = inside[np.abs(inside) < 0.1][:count]
truth = -math.log(math.erf(0.1 / math.sqrt(2.0)))


def root(there, back):
    """Bennett's equation solved as it stands, for equal counts."""
    return brentq(lambda c: expit(c - there).sum() - expit(-c - back).sum(), -100.0, 100.0)


print(f"exact difference {truth:.3f}")
seen = {}
for wall in (700.0, 1000.0, math.inf):
    there = np.where(np.abs(normal) < 0.1, 0.0, wall)
    back = np.zeros(len(inside))
    answers = [bar(there, back, uncertainty_method=method) for method in ("BAR", "MBAR")]
    seen[wall] = [(float(a["Delta_f"]), float(a["dDelta_f"])) for a in answers]
    print(f"walls of {wall}: Bennett's equation {root(there, back):.3f}; bar()", *("{:.3f} ± {:.3f}".format(*a) for a in seen[wall]))

# A single outlier among two thousand works is enough.
there = np.append(random.normal(0.5, 1.0, size=count), 1000.0)
back = random.normal(0.5, 1.0, size=count)
one = bar(there, back)
none = bar(np.append(there[:-1], math.inf), back)
print(f"works of equal laws and one of 1,000: {one['Delta_f']:.3f} ± {one['dDelta_f']:.3f}; and one infinite: {none['Delta_f']} ± {none['dDelta_f']}")

right = all(abs(value - truth) < 0.3 for wall in (700.0, 1000.0) for value, _ in seen[wall])
errors = all(0.0 < error < 0.3 for _, error in seen[700.0]) and all(math.isnan(error) for _, error in seen[1000.0])
nothing = all(answer == (0.0, 0.0) for answer in seen[math.inf]) and none["Delta_f"] == none["dDelta_f"] == 0.0
if not (right and errors and nothing and math.isnan(one["dDelta_f"])):
    sys.exit("changed: bar() no longer answers NaN for an error beside a work of 1,000, or 0 ± 0 for an infinite one")
print("as described: one large work takes the error away, and an infinite one the answer")
PY
