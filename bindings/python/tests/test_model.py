"""Models: what they take, compute and refuse."""

import contextlib
import copy
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy as np
import pytest
from conftest import command

import afterimage


def finite_differences(model, x, step=1e-2):
    """The gradient of the energy of one sample by central differences."""
    flat = x.reshape(-1).astype(np.float64)
    moved = np.stack([flat + sign * step * unit for unit in np.eye(flat.size) for sign in (1, -1)])
    energies = model.energy(moved.astype(np.float32)).astype(np.float64).reshape(-1, 2)
    return (energies[:, 0] - energies[:, 1]) / (2 * step)


def test_energies_are_those_of_the_command_line(images, digits, tmp_path):
    np.save(tmp_path / "x.npy", digits)
    done = command(
        "energy", images.folder, tmp_path / "x.npy", "--out", tmp_path / "e.npy", "--set", "data.range=[-1,1]"
    )
    assert done.returncode == 0, done.stderr
    energies = images.model.energy(digits)
    assert energies.dtype == np.float32 and energies.shape == (5,)
    # Both run the same kernels, in batches of other sizes.
    np.testing.assert_array_equal(energies, np.load(tmp_path / "e.npy"))


def test_gradients_are_slopes_of_the_energy(images, points, digits):
    for model, x in [(images.model, digits[0]), (points.model, np.float32([0.4, -0.7]))]:
        gradient = model.gradient(x)
        assert gradient.shape == x.shape
        # Differences of float32 energies of a few nats are sure to about 1e-6 / 1e-2.
        np.testing.assert_allclose(gradient.reshape(-1), finite_differences(model, x), rtol=5e-3, atol=2e-3)


def test_samples_are_those_of_the_command_line(images, tmp_path):
    path = tmp_path / "samples.npy"
    done = command("sample", images.folder, "--count", "6", "--steps", "5", "--seed", "9", "--out", path)
    assert done.returncode == 0, done.stderr
    drawn = images.model.sample(6, steps=5, seed=9)
    assert drawn.shape == (6, 1, 8, 8)
    np.testing.assert_array_equal(drawn, np.load(path))
    assert not np.array_equal(drawn, images.model.sample(6, steps=5, seed=10))
    # The run's own numbers.
    assert images.model.sample().shape == (9, 1, 8, 8)


def test_axes_before_a_sample_are_kept(images, points, digits):
    model = images.model
    energies = model.energy(digits)
    for x, shape in [
        (digits[0], ()),
        (digits.reshape(5, 64), (5,)),
        (digits[:, 0], (5,)),
        (digits[None], (1, 5)),
        (digits[:4].reshape(2, 2, 1, 8, 8), (2, 2)),
        (digits[:0], (0,)),
    ]:
        found = model.energy(x)
        assert found.shape == shape
        np.testing.assert_array_equal(found.reshape(-1), energies[: found.size])
        assert model.gradient(x).shape == x.shape
    assert points.model.shape == (2,)
    assert points.model.energy(np.zeros((3, 4, 2), np.float32)).shape == (3, 4)
    assert points.model.sample(4, steps=2).shape == (4, 2)


def test_more_samples_than_a_batch(images, digits):
    many = np.tile(digits, (70, 1, 1, 1))
    np.testing.assert_array_equal(images.model.energy(many), np.tile(images.model.energy(digits), 70))


def test_arrays_of_other_kinds(images, digits):
    model, energies = images.model, images.model.energy(digits)
    # Not row by row.
    turned = np.asfortranarray(digits)
    np.testing.assert_array_equal(model.energy(turned), energies)
    np.testing.assert_array_equal(model.energy(digits.tolist()), energies)
    np.testing.assert_array_equal(model.energy(digits.astype(np.float64)), energies)
    read_only = digits.copy()
    read_only.setflags(write=False)
    np.testing.assert_array_equal(model.energy(read_only), energies)
    half = digits.astype(np.float16)
    np.testing.assert_array_equal(model.energy(half), model.energy(half.astype(np.float32)))
    np.testing.assert_array_equal(model.energy(digits.astype(">f4")), energies)
    # Such as a field of a structured array has it.
    unaligned = np.zeros(digits.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(digits.shape)
    unaligned[:] = digits
    assert not unaligned.flags.aligned
    np.testing.assert_array_equal(model.energy(unaligned), energies)
    # Of which nothing is masked.
    np.testing.assert_array_equal(model.energy(np.ma.masked_array(digits)), energies)
    # Bytes of pictures are raw values.
    raw = np.arange(64).reshape(1, 8, 8) % 17
    scaled = model.scaled(raw)
    np.testing.assert_allclose(scaled, raw / 8 - 1, atol=1e-7)
    assert model.energy(scaled).shape == ()


def test_nothing_is_copied_that_need_not_be(images, digits):
    from afterimage._model import samples

    assert np.shares_memory(samples(digits), digits)
    assert samples(np.float32(1)).shape == ()


class OfAGpu:
    """Memory that NumPy cannot reach."""

    def __dlpack__(self, **how):
        raise BufferError("it is on a GPU")

    def __dlpack_device__(self):
        return 2, 0


def test_the_engine_takes_no_other_order_of_axes(images, digits):
    native = images.model._native
    turned = np.asfortranarray(digits.reshape(5, 64))
    with pytest.raises(ValueError, match="row by row"):
        native.energy(turned)
    state = native.state_dict()
    state["layers.0.weight"] = np.asfortranarray(state["layers.0.weight"])
    with pytest.raises(ValueError, match="row by row"):
        native.with_state(state)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((3, 1, 7, 8), np.float32), "the data's samples are 1 channel of height 7 × width 8, the model takes"),
        (np.zeros((3, 65), np.float32), "score data of the model's shape"),
        (np.zeros(65, np.float32), "65 values are not a whole number of samples of 1 channel of height 8"),
        (np.float32(1), "1 values are not a whole number"),
        (np.zeros((2, 64), np.uint8), "x is of uint8"),
        (np.zeros((2, 64), bool), "x is of bool"),
        (np.zeros((2, 64), complex), "x is of complex128"),
        (np.full((2, 64), 1e39), "x"),
        ([[1.0], [1.0, 2.0]], "x is nothing that NumPy can see as an array"),
        ("text", "x is of <U4"),
        (None, "x is of object"),
        (np.ma.masked_array(np.zeros((2, 64), np.float32), mask=np.eye(2, 64)), "x has masked values"),
        (OfAGpu(), "x is nothing that NumPy can see as an array"),
    ],
)
def test_what_is_no_sample_is_refused(images, x, words):
    for compute in (images.model.energy, images.model.gradient):
        with pytest.raises(ValueError) as refused:
            compute(x)
        assert words in str(refused.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_in_the_words_of_the_command_line(images, digits, value, tmp_path):
    digits[3, 0, 2, 2] = value
    with pytest.raises(ValueError) as refused:
        images.model.energy(digits)
    np.save(tmp_path / "x.npy", digits)
    done = command("energy", images.folder, tmp_path / "x.npy")
    assert done.returncode == 1
    said = done.stderr.strip().removeprefix("error: ").replace(str(tmp_path / "x.npy"), "x")
    assert str(refused.value) == said


@pytest.mark.parametrize("numbers", [{"n": 0}, {"n": -1}, {"n": 2.5}, {"n": True}, {"steps": 1 << 25}, {"seed": -1}])
def test_numbers_that_cannot_be_are_refused(images, numbers):
    with pytest.raises(ValueError):
        images.model.sample(**{"n": 2, "steps": 1, **numbers})


def test_what_it_says_of_itself(images):
    model = images.model
    assert model.step == 6
    assert model.config["run"]["steps"] == 6
    assert model.config["network"]["layers"][1] == {"dense": 1}
    # 0 to 16 are -1 to 1.
    assert model.scaling["scale"] == 0.125 and model.scaling["offset"] == -1
    state = model.state_dict()
    assert {name: values.shape for name, values in state.items()} == {
        "layers.0.weight": (4, 1, 3, 3),
        "layers.0.bias": (4,),
        "layers.1.weight": (1, 64),
        "layers.1.bias": (1,),
    }
    assert "(1, 8, 8)" in repr(model)


def test_checkpoints_are_loaded_and_saved(images, digits, tmp_path):
    checkpoint = images.folder / "checkpoints/000006.safetensors"
    energies = images.model.energy(digits)
    model = afterimage.load(checkpoint)
    np.testing.assert_array_equal(model.energy(digits), energies)
    np.testing.assert_array_equal(afterimage.load(images).energy(digits), energies)
    live = afterimage.load(str(images.folder), weights="live")
    assert not np.array_equal(live.state_dict()["layers.0.weight"], model.state_dict()["layers.0.weight"])
    model.save(tmp_path / "again.safetensors")
    np.testing.assert_array_equal(afterimage.load(tmp_path / "again.safetensors").energy(digits), energies)
    with pytest.raises(afterimage.FileError):
        model.save(tmp_path / "none/again.safetensors")


@pytest.mark.parametrize("weights", ["averaged", "live"])
def test_models_are_pickled_and_copied(images, digits, weights):
    wanted = afterimage.load(images.folder, weights=weights)
    energies = wanted.energy(digits)
    assert np.array_equal(energies, images.model.energy(digits)) == (weights == "averaged")
    for model in [pickle.loads(pickle.dumps(wanted)), copy.deepcopy(wanted)]:
        np.testing.assert_array_equal(model.energy(digits), energies)
        assert model.config == wanted.config and model.evaluation == wanted.evaluation
    again = pickle.loads(pickle.dumps(pickle.loads(pickle.dumps(wanted))))
    np.testing.assert_array_equal(again.energy(digits), energies)


def test_models_that_are_not_there_are_refused(images, tmp_path):
    for path in [tmp_path, tmp_path / "none.safetensors"]:
        with pytest.raises(afterimage.FileError):
            afterimage.load(path)
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes((images.folder / "checkpoints/000006.safetensors").read_bytes()[:-3])
    with pytest.raises(afterimage.FileError):
        afterimage.load(damaged)
    with pytest.raises(afterimage.DeviceError) as refused:
        afterimage.load(images.folder, adapter="no such adapter")
    assert "afterimage devices" in str(refused.value)
    with pytest.raises(ValueError):
        afterimage.load(images.folder, weights="best")


def test_models_take_turns_on_a_device(images, points, digits):
    point = np.float32([[0.3, 0.1]])
    wanted = images.model.energy(digits), points.model.energy(point)
    for _ in range(2):
        np.testing.assert_array_equal(images.model.energy(digits), wanted[0])
        np.testing.assert_array_equal(points.model.energy(point), wanted[1])


def test_threads_compute_and_others_run_meanwhile(images, digits):
    wanted = images.model.energy(digits)
    found, failures = {}, []

    def compute(number):
        try:
            for _ in range(5):
                found[number] = images.model.energy(digits)
                images.model.sample(2, steps=3)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=compute, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    assert not failures and len(found) == 4
    for energies in found.values():
        np.testing.assert_array_equal(energies, wanted)


def test_others_run_while_it_computes(images):
    counted, done = [], threading.Event()

    def count():
        while not done.wait(0.001):
            counted.append(None)

    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = len(counted)
        images.model.sample(64, steps=200)
        after = len(counted)
    finally:
        done.set()
        thread.join()
    # With the interpreter locked, the other thread would have come to its turn at most once before and once after.
    assert after - before > 5


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_ends_a_draw(images):
    program = textwrap.dedent(
        """
        import afterimage, sys
        model = afterimage.load(sys.argv[1])
        model.sample(1, steps=1)
        try:
            print("begins", flush=True)
            model.sample(64, steps=1 << 24)
        except KeyboardInterrupt:
            print("interrupted", model.sample(1, steps=1).shape)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, images.folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert process.stdout.readline() == "begins\n"
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert printed == "interrupted (1, 1, 8, 8)\n", said


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals of POSIX")
def test_signals_have_their_way_between_batches(images, digits):
    """And the model is free meanwhile."""
    model, heard = images.model, []
    wanted, slopes = model.energy(digits), model.gradient(digits)
    many = np.tile(digits, (3_200, 1, 1, 1))
    # Kernels are compiled without a pause.
    model.gradient(many[:256])
    before = signal.signal(signal.SIGALRM, lambda number, frame: heard.append(model.energy(digits)))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    seconds, counts = [], []
    try:
        for _ in range(3):
            begun, already = time.monotonic(), len(heard)
            found = model.gradient(many)
            seconds.append(time.monotonic() - begun)
            counts.append(len(heard) - already)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    np.testing.assert_array_equal(found, np.tile(slopes, (3_200, 1, 1, 1)))
    for energies in heard:
        np.testing.assert_array_equal(energies, wanted)
    # A fast machine has done it all before anybody looks.
    assert max(counts) > 1 or min(seconds) < 0.1


#: A signal handler that says of itself what it could do, while a model draws.
HANDLED = """
import afterimage, signal, sys
model = afterimage.load(sys.argv[1])
def handle(number, frame):
    print(model.adapter in repr(model), flush=True)
    try:
        model.sample(1, steps=1)
    except afterimage.Error as error:
        print(error, flush=True)
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, handle)
try:
    print("begins", flush=True)
    model.sample(64, steps=1 << 24)
except KeyboardInterrupt:
    print("interrupted", model.sample(1, steps=1).shape)
"""

#: Waits for a device on which another thread draws.
WAITS = """
import _thread, afterimage, os, sys, threading, time
model = afterimage.load(sys.argv[1])
model.sample(1, steps=1)
threading.Thread(target=lambda: model.sample(64, steps=1 << 24), daemon=True).start()
time.sleep(1)
threading.Timer(1, _thread.interrupt_main).start()
try:
    model.sample(1, steps=1)
except KeyboardInterrupt:
    # The other thread has the device, and is not waited for either.
    print("interrupted", model.adapter in repr(model), flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_signal_handler_is_told_that_the_device_is_in_use(images):
    words = [sys.executable, "-c", HANDLED, images.folder]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        assert process.stdout.readline() == "begins\n"
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=120)
    finally:
        process.kill()
    lines = printed.splitlines()
    assert lines[0] == "True" and lines[-1] == "interrupted (1, 1, 8, 8)", said
    assert len(lines) == 3 and "in use by this thread" in lines[1]


def test_waiting_for_a_device_is_interrupted(images):
    words = [sys.executable, "-c", WAITS, images.folder]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=120)
    assert done.stdout == "interrupted True\n", done.stderr


class TestLogProb:
    def test_without_an_evaluation_it_says_how_to_get_one(self, images, digits, tmp_path):
        with pytest.raises(afterimage.Error) as refused:
            images.model.log_prob(digits)
        assert f"afterimage evaluate {images.folder}" in str(refused.value)
        assert images.model.evaluation is None
        images.model.save(tmp_path / "alone.safetensors")
        with pytest.raises(afterimage.Error) as refused:
            _ = afterimage.load(tmp_path / "alone.safetensors").log_z
        assert "no run folder" in str(refused.value)

    def test_it_says_how_to_get_one_of_other_weights(self, images, tmp_path):
        run = shutil.copytree(images.folder, tmp_path / "run")
        last = run / "checkpoints/000006.safetensors"
        for path in [run, last, run / "checkpoints/000006.live.safetensors"]:
            with pytest.raises(afterimage.Error) as refused:
                _ = afterimage.load(path, weights="live").log_z
            assert f"afterimage evaluate {run} --weights live`" in str(refused.value)
            assert f"afterimage.evaluate({str(run)!r}, weights='live')" in str(refused.value)
        with pytest.raises(afterimage.Error, match="was not evaluated"):
            _ = afterimage.load(last).log_z
        # Of an earlier step.
        other = run / "checkpoints/000003.safetensors"
        state = {name: values + 1 for name, values in images.model.state_dict().items()}
        images.model._native.with_state(state).save(other)
        with pytest.raises(afterimage.Error) as refused:
            _ = afterimage.load(other).log_z
        assert f"afterimage.evaluate({str(other)!r})" in str(refused.value) and "--out DIR" in str(refused.value)

    def test_it_is_a_density_in_the_plane(self, points):
        afterimage.evaluate(points, only="density", samples=0, tolerance=1e-3)
        model = points.model
        log_z = model.log_z
        assert log_z.low < log_z.value < log_z.high and log_z.high - log_z.low < 0.01
        # The box holds all but what the base, of deviation 2, has outside of it.
        side = np.linspace(-12, 12, 481)
        grid = np.stack(np.meshgrid(side, side), axis=-1).astype(np.float32)
        mass = np.exp(model.log_prob(grid)).sum() * (side[1] - side[0]) ** 2
        assert abs(mass - 1) < 0.01
        assert model.log_prob(grid[0, 0]).dtype == np.float64

    def test_it_is_a_density_of_pictures(self, images):
        afterimage.evaluate(images, only="likelihood", evaluations=300_000, chains=64)
        model, network = images.model, images.config["network"]
        log_z = model.log_z
        # The same by weights of draws from the base, from which the network is not far after six steps.
        mean, std = network["base_mean"], network["base_std"]
        x = np.random.default_rng(0).normal(mean, std, (40_000, 1, 8, 8)).astype(np.float32)
        base = ((x.astype(np.float64) - mean) ** 2).sum((1, 2, 3)) / (2 * std**2)
        weights = np.exp(base - model.energy(x))
        estimate = np.log(weights.mean()) + 32 * np.log(2 * np.pi * std**2)
        error = weights.std() / weights.mean() / np.sqrt(len(weights))
        # Intervals are of two standard errors; five of both leave one in a million.
        assert abs(log_z.value - estimate) < 5 * np.hypot(error, (log_z.high - log_z.low) / 4)
        (images.folder / "evaluation.json").unlink()

    def test_what_is_not_valid_or_of_others_is_refused(self, images, digits, tmp_path):
        model = images.model
        path = images.folder / "evaluation.json"
        crc = model._native.weights_crc32
        try:
            for figures, words in [
                ({"weights_crc32": "00000000", "likelihood": {}}, "of other weights"),
                ({"weights_crc32": crc}, "likelihood was not evaluated"),
                (
                    {"weights_crc32": crc, "likelihood": {"valid": False, "log_z": None, "not_valid": ["too few", "so"]}},
                    "not found valid: too few; so",
                ),
                ({"weights_crc32": crc, "likelihood": {"not_valid": "none"}}, "not found valid: none"),
            ]:
                path.write_text(json.dumps(figures))
                with pytest.raises(afterimage.Error) as refused:
                    model.log_prob(digits)
                assert words in str(refused.value)
            path.write_text("{")
            with pytest.raises(afterimage.FileError):
                model.log_prob(digits)
            interval = {"value": 1.5, "standard_error": 0.1, "interval": [1.3, 1.7]}
            path.write_text(json.dumps({"weights_crc32": crc, "likelihood": {"valid": True, "log_z": interval}}))
            assert model.log_z == (1.5, 1.3, 1.7)
            np.testing.assert_allclose(model.log_prob(digits), -model.energy(digits) - 1.5, rtol=1e-6)
        finally:
            path.unlink()


#: Does one thing, and another one in a process that is forked then, which has to be refused.
FORKED = """
import afterimage, numpy, os, sys
run, out, first, then = sys.argv[1:]
few = {"run.steps": 1, "run.batch": 8, "run.sample_every": 0, "run.sample_steps": 1, "sampler.buffer": 32, "sampler.probe": 0}
def load(out):
    return afterimage.load(run)
def train(out):
    return afterimage.train("moons", out=out, progress=False, **few)
def fit(out):
    table = numpy.zeros((4, 2))
    table[1:3, 0] = table[2:, 1] = 1
    from afterimage.sklearn import EnergyModel
    EnergyModel(hidden=(4,), steps=1, batch=8, settings={"sampler.buffer": 16}).fit(table)
def energy(out):
    model.energy(numpy.zeros((1, *model.shape), "float32"))
model = globals()[first](out + "-first")
child = os.fork()
if child == 0:
    try:
        globals()[then](out + "-then")
    except afterimage.DeviceError as error:
        os._exit(0 if "spawn" in str(error) else 2)
    except BaseException:
        os._exit(3)
    os._exit(1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.parametrize(
    ("first", "then"), [("load", "energy"), ("load", "train"), ("load", "fit"), ("train", "load"), ("train", "train")]
)
def test_a_forked_process_is_told_to_start_anew(points, tmp_path, first, then):
    if then == "fit":
        pytest.importorskip("sklearn")
    words = [sys.executable, "-c", FORKED, points.folder, tmp_path / "run", first, then]
    process = subprocess.Popen(list(map(os.fspath, words)), start_new_session=True)
    try:
        assert process.wait(timeout=300) == 0
    finally:
        # A child that hangs, as well.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    assert not (tmp_path / "run-then").exists()
