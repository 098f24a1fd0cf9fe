#!/usr/bin/env python3
"""Trains the classifier of 28×28 digits whose features `afterimage evaluate` measures samples of that shape in.

    pip install torch numpy safetensors
    python3 assets/classifiers/mnist.py DATA [--out assets/classifiers/mnist.safetensors]

DATA is a folder with MNIST's test set, t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz: the features are then of
digits that models of its training set have not seen, either. Learns from all but every fifth as digits.py does.
"""

import argparse
import gzip
import pathlib

import numpy as np
import torch
from digits import HERE, SEED, train


def network():
    """The layers of src/evaluation/quality/features.rs; the features are what the fourth one gives."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 8, 3, stride=2, padding=1),
        torch.nn.SiLU(),
        torch.nn.Conv2d(8, 16, 3, stride=2, padding=1),
        torch.nn.SiLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
        torch.nn.SiLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(512, 64),
        torch.nn.SiLU(),
        torch.nn.Linear(64, 10),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, metavar="DATA")
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "mnist.safetensors")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    read = lambda name, skip: np.frombuffer(gzip.open(arguments.data / name).read(), np.uint8, offset=skip)
    images, labels = read("t10k-images-idx3-ubyte.gz", 16), read("t10k-labels-idx1-ubyte.gz", 8)
    pixels = torch.tensor(images.astype(np.float32)).reshape(-1, 1, 28, 28) / 127.5 - 1
    labels = torch.tensor(labels.astype(np.int64))
    train(network(), pixels, labels, arguments.out, "python3 assets/classifiers/mnist.py DATA")


if __name__ == "__main__":
    main()
