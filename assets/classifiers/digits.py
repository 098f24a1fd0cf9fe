#!/usr/bin/env python3
"""Trains the classifier of 8×8 digits whose features `afterimage evaluate` measures samples in.

    pip install torch numpy safetensors
    python3 assets/classifiers/digits.py [--out assets/classifiers/digits.safetensors]

Learns from the embedded digits except every fifth one, with the noise of the `digits` preset added, and prints its
accuracy on those it left out, with and without that noise. What it learned goes into the file, with how it came about in
its metadata. The seed is fixed; another version of PyTorch may round differently and give other weights of the same
accuracy, so distances are comparable only under one file.
"""

import argparse
import gzip
import pathlib

import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
DATA = HERE.parent / "digits" / "digits.csv.gz"
SEED, STEPS, BATCH, NOISE = 20, 2000, 128, 0.1
# Of this many digits in the order of the file, the last is left out.
FOLD = 5


def network():
    """The layers of src/evaluation/quality/features.rs; the features are what the third one gives."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.SiLU(),
        torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
        torch.nn.SiLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(512, 64),
        torch.nn.SiLU(),
        torch.nn.Linear(64, 10),
    )


def train(net, pixels, labels, out, command):
    """Trains `net` on all but every fifth of `pixels`, and writes it to `out`; torch's seed decides the rest."""
    left_out = torch.arange(len(labels)) % FOLD == FOLD - 1
    pictures, digits = pixels[~left_out], labels[~left_out]
    adam = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=1e-2)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(adam, STEPS)
    for _ in range(STEPS):
        batch = torch.randint(len(digits), (BATCH,))
        noisy = pictures[batch] + NOISE * torch.randn(BATCH, *pixels.shape[1:])
        loss = torch.nn.functional.cross_entropy(net(noisy), digits[batch])
        adam.zero_grad()
        loss.backward()
        adam.step()
        rate.step()

    with torch.no_grad():
        clean = pixels[left_out]
        noisy = clean + NOISE * torch.randn(clean.shape)
        correct = [(net(x).argmax(1) == labels[left_out]).sum().item() for x in (clean, noisy)]
    count = int(left_out.sum())
    accuracy = f"{correct[0]} of {count} digits left out, {correct[1]} with noise {NOISE}"
    print(f"{accuracy}: {100 * correct[0] / count:.1f} %, {100 * correct[1] / count:.1f} %")
    metadata = {"accuracy": accuracy, "made_by": f"{command} with PyTorch {torch.__version__}"}
    save_file({name: tensor.contiguous() for name, tensor in net.state_dict().items()}, out, metadata)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=HERE / "digits.safetensors")
    out = parser.parse_args().out
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    table = np.loadtxt(gzip.open(DATA), delimiter=",", dtype=np.float32)
    pixels = torch.tensor(table[:, :64]).reshape(-1, 1, 8, 8) / 8 - 1
    labels = torch.tensor(table[:, 64]).long()
    train(network(), pixels, labels, out, "python3 assets/classifiers/digits.py")


if __name__ == "__main__":
    main()
