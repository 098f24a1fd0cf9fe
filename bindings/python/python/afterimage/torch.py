"""Checkpoints as modules of PyTorch, and back.

    import afterimage.torch

    module = afterimage.torch.module("runs/digits")
    energies = module(x)                       # x: (n, channels, rows, columns)
    afterimage.torch.save(module, "mine.safetensors")
"""

from __future__ import annotations

import json
import math
import os
from typing import Any

import numpy as np

try:
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
except ImportError as missing:
    raise ImportError(f"{missing}: pip install torch") from missing

from . import _native
from ._model import packed, unpacked

__all__ = ["Energy", "module", "save"]


def module(
    checkpoint: str | os.PathLike[str],
    *,
    weights: str = "averaged",
    config: str | os.PathLike[str] | None = None,
) -> Energy:
    """The energy that a checkpoint describes, as a ``torch.nn.Module`` with its parameters; no device is opened.

    Args:
        checkpoint, weights, config: as for :func:`afterimage.load`.

    Raises:
        FileError: there is no such model, or its file is damaged.
    """
    if weights not in ("averaged", "live"):
        raise ValueError(f"weights={weights!r}: it may be 'averaged' or 'live'")
    return Energy(_native.read(checkpoint, config, weights == "live"))


def save(module: Energy, path: str | os.PathLike[str]) -> None:
    """Writes a module as a checkpoint that :func:`afterimage.load` and the command line take: its parameters, rounded to float32
    where they are of another type, with all else as in the checkpoint that it was made from.

    Raises:
        ValueError: a parameter has another shape, or is not finite.
        FileError: it cannot be written.
    """
    state = {
        name: np.ascontiguousarray(tensor.detach().to(device="cpu", dtype=torch.float32).numpy())
        for name, tensor in module.state_dict().items()
    }
    lost = [name for name, values in state.items() if not np.isfinite(values).all()]
    if lost:
        raise ValueError(f"tensor '{lost[0]}' has values that are not finite: save parameters from before")
    module.native.with_state(state).save(path)


class Energy(nn.Module):
    """E(x) of samples (n, channels, rows, columns): the sum of the outputs of ``layers``, plus that of a Gaussian base.

    The parameters have the names of the checkpoint: ``layers.0.weight``, …. Samples may also have all their values in one axis,
    (n, values).

    Attributes:
        layers: a module for each entry of ``network.layers``.
        shape: (channels, rows, columns) of a sample.
    """

    def __init__(self, native: _native.Model) -> None:
        super().__init__()
        self.native = native
        network = json.loads(native.config)["network"]
        sides = native.shape
        self.shape: tuple[int, ...] = tuple(sides) if len(sides) == 3 else (*sides, 1, 1)
        self.activation = _activation(network)
        self.base: tuple[float, float] | None = None
        if network["base"] == "gaussian":
            self.base = network["base_mean"], network["base_std"]
        spectral = network["spectral_norm"]
        shape, layers = self.shape, []
        for entry in network["layers"]:
            layer, shape = _layer(entry, shape, self.activation, spectral)
            layers.append(layer)
        self.layers = nn.ModuleList(layers)
        self._last = max(place for place, layer in enumerate(layers) if _has_weights(layer))
        state = {name: torch.from_numpy(values) for name, values in native.state_dict().items()}
        self.load_state_dict(state, strict=True)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "native": packed(self.native)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        native = unpacked(state["native"], None, opened=False)
        super().__setstate__({**state, "native": native})  # type: ignore[no-untyped-call]

    def forward(self, x: Tensor) -> Tensor:
        """Energies (n,) of samples.

        Raises:
            ValueError: ``x`` is not made of samples of the model.
        """
        sides = tuple(x.shape[1:])
        # What has as many values in other axes is something else, such as channels that come last.
        if x.ndim == 0 or sides not in (self.shape, (math.prod(self.shape),)):
            wanted = ", ".join(map(str, self.shape))
            raise ValueError(
                f"x has the shape {tuple(x.shape)}: give samples as (n, {wanted}), or as (n, {math.prod(self.shape)})"
            )
        x = x.reshape(-1, *self.shape)
        y = x
        for place, layer in enumerate(self.layers):
            y = layer(y)
            if place < self._last and _has_weights(layer):
                y = self.activation(y)
        energy = y.flatten(1).sum(1)
        if self.base is not None:
            mean, std = self.base
            energy = energy + ((x - mean) ** 2).flatten(1).sum(1) / (2 * std**2)
        return energy

    @torch.no_grad()
    def turn(self) -> None:
        """Under spectral normalisation, brings the estimates of the largest singular values nearer by a step of the power method, as
        the engine does after each optimiser step."""
        for layer in self.modules():
            if isinstance(layer, _Weighted) and layer.is_normalised:
                layer.turn()


class _Weighted(nn.Module):
    """What a convolution and a dense layer share: a bias, and a weight, either as it is or, under spectral normalisation, divided by
    an estimate of its largest singular value."""

    weight_u: Tensor

    def __init__(self, weight: tuple[int, ...], spectral: bool) -> None:
        super().__init__()
        self.is_normalised = spectral
        if spectral:
            self.weight_orig = nn.Parameter(torch.empty(weight))
            self.register_buffer("weight_u", torch.empty(weight[0]))
        else:
            self.weight = nn.Parameter(torch.empty(weight))
        self.bias = nn.Parameter(torch.empty(weight[0]))

    def used(self) -> Tensor:
        """The weight that the layer computes with."""
        if not self.is_normalised:
            return self.weight
        left, right = self._vectors()
        return self.weight_orig / (left @ self.weight_orig.flatten(1) @ right)

    def _vectors(self) -> tuple[Tensor, Tensor]:
        """The singular vectors that belong to the estimate; no gradient moves them."""
        left = functional.normalize(self.weight_u, dim=0, eps=0.0)
        return left, functional.normalize(self.weight_orig.detach().flatten(1).T @ left, dim=0, eps=0.0)

    def turn(self) -> None:
        _, right = self._vectors()
        self.weight_u.copy_(functional.normalize(self.weight_orig.flatten(1) @ right, dim=0, eps=0.0))


class _Conv(_Weighted):
    def __init__(self, weight: tuple[int, ...], spectral: bool, stride: int = 1, padding: int = 0) -> None:
        super().__init__(weight, spectral)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, self.used(), self.bias, self.stride, self.padding)

    def extra_repr(self) -> str:
        return f"{list(self.used().shape)}, stride={self.stride}, padding={self.padding}"


class _Dense(_Weighted):
    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.flatten(1), self.used(), self.bias)[:, :, None, None]

    def extra_repr(self) -> str:
        return f"{list(self.used().shape)}"


class _Residual(nn.Module):
    """pool(conv2(act(conv1(x))) + skip(x)), the activation behind it being the network's."""

    def __init__(
        self, channels: int, outputs: int, kernel: int, pool: int, activation: nn.Module, spectral: bool
    ) -> None:
        super().__init__()
        padding = kernel // 2
        self.conv1 = _Conv((outputs, channels, kernel, kernel), spectral, padding=padding)
        self.conv2 = _Conv((outputs, outputs, kernel, kernel), spectral, padding=padding)
        if outputs != channels:
            self.skip = _Conv((outputs, channels, 1, 1), spectral)
        self.activation = activation
        self.pool = nn.AvgPool2d(pool)

    def forward(self, x: Tensor) -> Tensor:
        skipped = self.skip(x) if hasattr(self, "skip") else x
        y: Tensor = self.pool(self.conv2(self.activation(self.conv1(x))) + skipped)
        return y


class _GlobalSum(nn.Module):
    """The sum over all pixels of a channel."""

    def forward(self, x: Tensor) -> Tensor:
        return x.sum((2, 3), keepdim=True)


def _layer(
    entry: dict[str, Any], shape: tuple[int, ...], activation: nn.Module, spectral: bool
) -> tuple[nn.Module, tuple[int, ...]]:
    """The module of an entry of ``network.layers`` over maps of a shape, and the shape of what it makes of them."""
    channels, rows, columns = shape
    match entry:
        case {"conv": outputs, "kernel": kernel}:
            stride, padding = entry.get("stride", 1), entry.get("padding", 0)
            sides = [(side + 2 * padding - kernel) // stride + 1 for side in (rows, columns)]
            return _Conv((outputs, channels, kernel, kernel), spectral, stride, padding), (outputs, *sides)
        case {"dense": outputs}:
            return _Dense((outputs, channels * rows * columns), spectral), (outputs, 1, 1)
        case {"residual": outputs}:
            kernel, pool = entry.get("kernel", 3), entry.get("pool", 1)
            block = _Residual(channels, outputs, kernel, pool, activation, spectral)
            return block, (outputs, rows // pool, columns // pool)
        case {"pool": side}:
            return nn.AvgPool2d(side), (channels, rows // side, columns // side)
        case {"global_sum": True}:
            return _GlobalSum(), (channels, 1, 1)
    raise ValueError(f"the layer {entry} is not known to this version: update afterimage")


def _has_weights(layer: nn.Module) -> bool:
    return next(layer.parameters(), None) is not None


def _activation(network: dict[str, Any]) -> nn.Module:
    match network["activation"]:
        case "silu":
            return nn.SiLU()
        case "leaky_relu":
            return nn.LeakyReLU(network["slope"])
        case "softplus":
            return nn.Softplus()
        case "tanh":
            return nn.Tanh()
        case "identity":
            return nn.Identity()
    raise ValueError(f"the activation {network['activation']!r} is not known to this version: update afterimage")
