"""Checkpoints as modules of PyTorch, and back."""

import copy
import pickle

import numpy as np
import pytest
from conftest import IMAGES, POINTS

torch = pytest.importorskip("torch")

import afterimage  # noqa: E402
import afterimage.torch  # noqa: E402

#: Every kind of layer, activation and base, with rows that fill no window and blocks that come last.
NETWORKS = {
    "convolutions": {
        "network.layers": [{"conv": 6, "kernel": 3, "padding": 1}, {"conv": 4, "kernel": 2, "stride": 2}, {"dense": 3}],
        "network.activation": "silu",
    },
    "residual": {
        "network.layers": [
            {"conv": 4, "kernel": 3, "padding": 1},
            {"residual": 6, "pool": 3},
            {"residual": 6, "kernel": 1},
            {"global_sum": True},
            {"dense": 1},
        ],
        "network.activation": "leaky_relu",
        "network.slope": 0.1,
        "network.base": "none",
    },
    "normalised": {
        "network.layers": [{"conv": 5, "kernel": 3}, {"pool": 2}, {"residual": 7}, {"pool": 2}, {"dense": 4}, {"dense": 1}],
        "network.activation": "softplus",
        "network.spectral_norm": True,
    },
    "block last": {
        "network.layers": [{"conv": 3, "kernel": 1}, {"residual": 3, "pool": 2}, {"global_sum": True}],
        "network.activation": "tanh",
        "network.base_mean": 0.25,
        "network.base_std": 1.5,
    },
    "linear": {"network.layers": [{"dense": 4}, {"dense": 2}], "network.activation": "identity"},
}


@pytest.fixture(scope="module", params=[*NETWORKS, "plane"])
def run(request, folder):
    name = request.param.replace(" ", "-")
    settings = {**(POINTS if name == "plane" else IMAGES), **NETWORKS.get(request.param, {}), "run.steps": 2}
    settings |= {"network.zero_head": False, "run.figure_every": 0, "sampler.probe": 0, "sampler.diagnose": 0}
    preset = "moons" if name == "plane" else "digits"
    return afterimage.train(preset, out=folder / f"torch-{name}", progress=False, **settings)


def samples(run, count=7):
    shape = (count, *run.model.shape)
    return np.random.default_rng(1).normal(size=shape).astype(np.float32)


def test_energies_and_gradients_are_those_of_the_engine(run):
    x = samples(run)
    module = afterimage.torch.module(run.folder).double()
    given = torch.from_numpy(x).double().requires_grad_()
    energies = module(given)
    energies.sum().backward()
    wanted = run.model.energy(x)
    # float32 against float64: sums of at most a few hundred products.
    scale = np.abs(wanted).max().clip(min=1)
    np.testing.assert_allclose(energies.detach().numpy(), wanted, rtol=0, atol=1e-5 * scale)
    slopes = run.model.gradient(x)
    np.testing.assert_allclose(given.grad.numpy(), slopes, rtol=0, atol=1e-5 * np.abs(slopes).max().clip(min=1))


def test_the_way_back_gives_the_same_energies(run, tmp_path):
    x = samples(run)
    afterimage.torch.save(afterimage.torch.module(run.folder), tmp_path / "same.safetensors")
    same = afterimage.load(tmp_path / "same.safetensors")
    np.testing.assert_array_equal(same.energy(x), run.model.energy(x))
    assert same.config == run.config and same.step == run.model.step


def test_what_pytorch_trains_the_engine_takes(run, tmp_path):
    x = samples(run)
    module = copy.deepcopy(afterimage.torch.module(run.folder))
    before = run.model.energy(x)
    optimiser = torch.optim.SGD(module.parameters(), lr=1e-2)
    for _ in range(3):
        optimiser.zero_grad()
        module(torch.from_numpy(x)).mean().backward()
        optimiser.step()
        module.turn()
    afterimage.torch.save(module, tmp_path / "trained.safetensors")
    energies = afterimage.load(tmp_path / "trained.safetensors").energy(x)
    with torch.no_grad():
        wanted = module.double()(torch.from_numpy(x).double()).numpy()
    np.testing.assert_allclose(energies, wanted, rtol=0, atol=1e-5 * np.abs(wanted).max().clip(min=1))
    assert np.abs(energies - before).max() > 1e-4


@pytest.mark.parametrize("weights", ["averaged", "live"])
def test_modules_are_pickled_and_copied(run, tmp_path, weights):
    x = torch.from_numpy(samples(run))
    module = afterimage.torch.module(run.folder, weights=weights)
    with torch.no_grad():
        module.layers[0].bias += 1
        wanted = module(x)
        for again in [copy.deepcopy(module), pickle.loads(pickle.dumps(module))]:
            torch.testing.assert_close(again(x), wanted, rtol=0, atol=0)
            afterimage.torch.save(again, tmp_path / "again.safetensors")


def test_modules_take_samples_and_nothing_else(images, points):
    module, plane = afterimage.torch.module(images.folder), afterimage.torch.module(points.folder)
    x = torch.from_numpy(np.random.default_rng(2).normal(size=(6, 1, 8, 8)).astype(np.float32))
    with torch.no_grad():
        torch.testing.assert_close(module(x.flatten(1)), module(x), rtol=0, atol=0)
        assert module(x[:0]).shape == (0,) and plane(torch.zeros(3, 2)).shape == plane(torch.zeros(3, 2, 1, 1)).shape == (3,)
        # So many values as samples have, but in other axes.
        for wrong in [x.permute(0, 2, 3, 1), x[0], x[0, 0], x[:, 0], x.reshape(3, 128), x.reshape(-1), x[0, 0, 0, 0]]:
            with pytest.raises(ValueError, match=r"\(n, 1, 8, 8\), or as \(n, 64\)"):
                module(wrong)
        with pytest.raises(ValueError, match="x has the shape"):
            plane(torch.zeros(2))


def test_parameters_have_the_names_of_the_checkpoint(run):
    module = afterimage.torch.module(run.folder)
    state, wanted = module.state_dict(), run.model.state_dict()
    assert set(state) == set(wanted)
    for name, values in wanted.items():
        np.testing.assert_array_equal(state[name].numpy(), values)
    names = [name for name, _ in module.named_parameters()]
    assert not any(name.endswith("weight_u") for name in names) and names


def test_spectral_normalisation_turns_as_the_engine_does(folder):
    """After steps that move no weight, the engine's vectors are those of the power method."""
    settings = {**IMAGES, **NETWORKS["normalised"], "run.steps": 1, "optimiser.rate": 1e-30, "optimiser.average": 0.0}
    settings |= {"sampler.probe": 0, "run.checkpoint_every": 0}
    one = afterimage.train("digits", out=folder / "turn-1", progress=False, **settings)
    two = afterimage.train("digits", out=folder / "turn-2", progress=False, **{**settings, "run.steps": 2})
    module = afterimage.torch.module(one.folder)
    module.turn()
    for name, values in two.model.state_dict().items():
        np.testing.assert_allclose(module.state_dict()[name].numpy(), values, rtol=0, atol=2e-6, err_msg=name)


def test_tensors_are_samples(images, digits):
    model, energies = images.model, images.model.energy(digits)
    tensor = torch.from_numpy(digits)
    np.testing.assert_array_equal(model.energy(tensor), energies)
    np.testing.assert_array_equal(model.energy(tensor.double()), energies)

    class Dlpack:
        """What speaks no more than DLPack."""

        def __dlpack__(self, **how):
            return tensor.__dlpack__(**how)

        def __dlpack_device__(self):
            return tensor.__dlpack_device__()

    np.testing.assert_array_equal(model.energy(Dlpack()), energies)
    with pytest.raises(ValueError, match="NumPy"):
        model.energy(tensor.clone().requires_grad_())


def test_what_cannot_be_saved_is_refused(images, tmp_path):
    module = afterimage.torch.module(images.folder)
    with torch.no_grad():
        module.layers[0].bias[0] = float("nan")
    with pytest.raises(ValueError, match="layers.0.bias"):
        afterimage.torch.save(module, tmp_path / "lost.safetensors")
    assert not (tmp_path / "lost.safetensors").exists()
    module.layers[0].bias = torch.nn.Parameter(torch.zeros(5))
    with pytest.raises(ValueError, match="should have shape"):
        afterimage.torch.save(module, tmp_path / "other.safetensors")
    module = afterimage.torch.module(images.folder)
    module.layers[0].extra = torch.nn.Parameter(torch.zeros(1))
    with pytest.raises(ValueError, match="extra"):
        afterimage.torch.save(module, tmp_path / "more.safetensors")
    with pytest.raises(afterimage.FileError):
        afterimage.torch.module(tmp_path)
    with pytest.raises(ValueError):
        afterimage.torch.module(images.folder, weights="best")
