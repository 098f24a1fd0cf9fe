#!/usr/bin/env python3
"""ArviZ's R-hat and bulk effective sample size of draws that a formula makes: the table in
src/method/diagnostics/statistics.rs, whose test makes the same draws, bit by bit.

    pip install arviz==0.23.4 numpy; python3 benches/mixing_figures.py
"""

import arviz
import numpy as np

# Chains, draws, autoregression, shift from chain to chain, grid that makes ties (0 for none).
CASES = [
    (4, 4, 0.0, 0.0, 0.0),
    (4, 9, 0.5, 0.0, 0.0),
    (128, 10, 0.9, 0.0, 0.0),
    (128, 10, 0.8, 0.02, 0.0),
    (128, 10, 0.0, 0.0, 0.0),
    (2, 11, -0.5, 0.0, 0.0),
    (1, 200, 0.9, 0.0, 0.0),
    (8, 32, 0.99, 0.0, 0.0),
    (128, 32, 0.7, 0.0, 0.5),
    (16, 33, -0.9, 0.0, 0.0),
    (3, 57, 0.3, 0.5, 0.25),
    (4, 200, 0.95, 0.1, 0.0),
    (4, 200, 0.0, 0.0, 1.0),
]


def draws(number, chains, length, rho, shift, grid):
    """x' = rho x + noise, noise being the sum of four uniform numbers of a linear congruential generator."""
    state = number

    def noise():
        nonlocal state
        total = -2.0
        for _ in range(4):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            total += (state >> 33) / 2**31
        return total

    made = []
    for chain in range(chains):
        x, values = noise(), []
        for _ in range(length):
            value = x + shift * chain
            values.append(np.floor(value / grid) if grid else value)
            x = rho * x + noise()
        made.append(values)
    return np.array(made)


def main():
    print(f"// arviz {arviz.__version__}, numpy {np.__version__}")
    for number, case in enumerate(CASES):
        made = draws(number, *case)
        r_hat, ess = (float(figure(made, method=method)) for figure, method in
                      [(arviz.rhat, "rank"), (arviz.ess, "bulk")])
        print(f"({case[0]}, {case[1]}, {case[2]:?<3}, {case[3]}, {case[4]}, {r_hat:.9}, {ess:.9}),".replace("?", ""))


if __name__ == "__main__":
    main()
