#!/usr/bin/env python3
"""Compares energies with PyTorch: the same pictures in every format, and checkpoints in both directions.

    pip install torch numpy pillow safetensors
    python3 benches/energies_pytorch.py [--binary target/release/afterimage]

Trains a small model on 50 pictures for a few steps, loads its checkpoint into a torch.nn module without a change
(load_state_dict is strict), and prints for every format, and for every type that PyTorch can save the weights in, the
largest difference of an energy from PyTorch's, relative to the larger of it and 1. Ends with an error above 1e-5.
"""

import argparse
import gzip
import pathlib
import struct
import subprocess
import sys
import tempfile
import tomllib

try:
    import numpy as np
    import torch
    from PIL import Image
    from safetensors.torch import load_file, save_file
except ImportError as missing:
    sys.exit(f"error: {missing}: run  pip install torch numpy pillow safetensors")

COUNT, SIDE = 50, 12
LAYERS = "[{conv=8, kernel=3, padding=1}, {conv=16, kernel=3, stride=2, padding=1}, {dense=1}]"
ALLOWED = 1e-5


class Energy(torch.nn.Module):
    """The network that a config.toml describes."""

    def __init__(self, config):
        super().__init__()
        self.config, channels, side, layers = config["network"], 1, SIDE, []
        for layer in self.config["layers"]:
            if "conv" in layer:
                kernel, stride, padding = layer["kernel"], layer.get("stride", 1), layer.get("padding", 0)
                layers.append(torch.nn.Conv2d(channels, layer["conv"], kernel, stride, padding))
                channels, side = layer["conv"], (side + 2 * padding - kernel) // stride + 1
            else:
                layers.append(torch.nn.Linear(channels * side * side, layer["dense"]))
                channels, side = layer["dense"], 1
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, x):
        y = x
        for place, layer in enumerate(self.layers):
            y = layer(y.flatten(1) if isinstance(layer, torch.nn.Linear) else y)
            if place + 1 < len(self.layers):
                y = torch.nn.functional.silu(y)
        squares = ((x - self.config["base_mean"]) ** 2).flatten(1).sum(1)
        return y.flatten(1).sum(1) + squares / (2 * self.config["base_std"] ** 2)


def idx(path, pictures):
    with gzip.open(path, "wb") as file:
        file.write(struct.pack(">4I", 0x803, *pictures.shape) + pictures.tobytes())


def folder(path, pictures):
    path.mkdir()
    for number, picture in enumerate(pictures):
        Image.fromarray(picture).save(path / f"{number}.png")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/afterimage", help="the program")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        return compare(pathlib.Path(arguments.binary).resolve(), pathlib.Path(place))


def compare(binary, place):
    def afterimage(*command):
        done = subprocess.run([binary, *map(str, command)], cwd=place, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"error: afterimage {' '.join(map(str, command))}: {done.stderr}")

    random = np.random.default_rng(1)
    pictures = random.integers(0, 256, (COUNT, SIDE, SIDE), dtype=np.uint8)
    pngs = folder(place / "pngs", pictures)
    settings = [f"network.layers={LAYERS}", "network.zero_head=false", "data.source=images", f"data.path={pngs}",
                "run.steps=20", "run.batch=32", "sampler.buffer=64", "sampler.probe=0", "run.samples=4",
                "run.sample_steps=4"]
    afterimage("train", "digits", "--out", "run", *[part for set in settings for part in ("--set", set)])
    config = tomllib.loads((place / "run/config.toml").read_text())
    checkpoint = place / "run/checkpoints/000020.safetensors"
    live = checkpoint.with_suffix(".live.safetensors")

    model = Energy(config).double()
    values = torch.from_numpy(pictures.astype(np.float64) / 255 * 2 - 1)[:, None]

    def wanted(state):
        model.load_state_dict(state)
        with torch.no_grad():
            return model(values).numpy()

    worst = 0

    def judge(what, energies, *command):
        nonlocal worst
        afterimage("energy", *command, "--out", "energies.npy")
        found = np.load(place / "energies.npy").astype(np.float64)
        difference = (np.abs(found - energies) / np.maximum(1, np.abs(energies))).max()
        worst = max(worst, difference)
        print(f"{what:34} {difference:.1e}")

    energies = wanted(load_file(checkpoint))
    print(f"{COUNT} pictures of {SIDE}x{SIDE}, energies {energies.min():.2f} to {energies.max():.2f}; differences")
    np.save(place / "bytes.npy", pictures)
    np.save(place / "float1.npy", pictures.astype(np.float32) / 255)
    np.save(place / "float255.npy", pictures.astype(np.float32))
    idx(place / "pictures.gz", pictures)
    judge("PNG", energies, "run", pngs)
    judge("PNG of 16 bits", energies, "run", folder(place / "deep", pictures.astype(np.uint16) * 257))
    judge(".npy, u8", energies, "run", "bytes.npy")
    judge(".npy, f32, 0 to 1", energies, "run", "float1.npy", "--set", "data.range=[0,1]")
    judge(".npy, f32, 0 to 255", energies, "run", "float255.npy", "--set", "data.range=[0,255]")
    judge("IDX.gz", energies, "run", "pictures.gz")
    judge("live weights", wanted(load_file(live)), "run", "bytes.npy", "--weights", "live")
    for dtype in (torch.bfloat16, torch.float16, torch.float64):
        state = {name: tensor.to(dtype) for name, tensor in load_file(checkpoint).items()}
        energies = wanted(state)
        save_file({**state, "num_batches_tracked": torch.tensor(20)}, place / "again.safetensors")
        judge(f"saved by PyTorch as {dtype}", energies, "again.safetensors", "bytes.npy", "--config", "run")
    if worst > ALLOWED:
        sys.exit(f"error: an energy differs by {worst:.1e}, more than {ALLOWED:.0e}")


if __name__ == "__main__":
    main()
