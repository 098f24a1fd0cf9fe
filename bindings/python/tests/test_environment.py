"""What the environment says before a driver is loaded."""

import json
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from conftest import command

from afterimage import _environment, _native

WIDTH, CACHE = _environment.WIDTH, _environment.SHADER_CACHE


@pytest.fixture
def asked(monkeypatch):
    """What is set where the engine asks for wide vectors, and another process lists adapters as the argument says."""

    def prepared(listed):
        wanted = [("NODEVICE_SELECT", "1"), (WIDTH, "512"), (CACHE, os.path.join("cache", "mesa-512"))]
        monkeypatch.setattr(_native, "environment", lambda: wanted)
        monkeypatch.setattr(_environment.subprocess, "run", listed)
        for name in (WIDTH, CACHE):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setattr(_environment, "_is_prepared", False)
        _environment.prepare()
        return os.environ[WIDTH], os.environ[CACHE]

    return prepared


def lists(*adapters):
    return lambda *words, **how: subprocess.CompletedProcess(words, 0, stdout=json.dumps(adapters), stderr="")


def adapter(kind, lanes):
    return {"kind": kind, "subgroup_sizes": [lanes, lanes]}


WIDE = ("512", os.path.join("cache", "mesa-512"))
NARROW = ("256", os.path.join("cache", "mesa-256"))


@pytest.mark.parametrize(
    ("adapters", "wanted"),
    [
        ([adapter("cpu", 16)], WIDE),
        # The command line has started itself again, or the driver does not take them.
        ([adapter("cpu", 8)], NARROW),
        ([adapter("gpu", 32), adapter("cpu", 8)], NARROW),
        ([adapter("gpu", 32)], WIDE),
        ([], WIDE),
    ],
)
def test_vectors_are_as_wide_as_those_of_the_command_line(asked, adapters, wanted):
    assert asked(lists(*adapters)) == wanted


def test_where_it_cannot_be_asked_vectors_are_narrow(asked, monkeypatch, caplog):
    def fails(*words, **how):
        raise OSError("no such program")

    assert asked(fails) == NARROW
    assert "no such program" in caplog.text
    assert asked(lambda *words, **how: subprocess.CompletedProcess(words, 0, stdout="{", stderr="")) == NARROW
    monkeypatch.setattr(sys, "executable", "")
    assert asked(lists(adapter("cpu", 16))) == NARROW


def test_threads_set_it_once(monkeypatch):
    monkeypatch.setattr(_environment, "_is_prepared", False)
    calls, found = [], []

    def asked():
        calls.append(None)
        time.sleep(0.2)
        return [("AFTERIMAGE_ONCE", "set")]

    monkeypatch.setattr(_native, "environment", asked)
    monkeypatch.setenv("AFTERIMAGE_ONCE", "before")

    def prepare():
        _environment.prepare()
        found.append(os.environ["AFTERIMAGE_ONCE"])

    monkeypatch.setattr(_environment, "BEFORE", {})
    threads = [threading.Thread(target=prepare) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(calls) == 1 and found == ["set"] * 3


def test_what_the_user_has_set_stays(images, digits, tmp_path, monkeypatch):
    """Narrow vectors, which are other kernels: in a process of its own, since this one has loaded its driver."""
    monkeypatch.setenv(WIDTH, "256")
    np.save(tmp_path / "x.npy", digits)
    program = """
import afterimage, numpy, os, sys
model = afterimage.load(sys.argv[1])
numpy.save(sys.argv[3], model.energy(numpy.load(sys.argv[2])))
print(os.environ["LP_NATIVE_VECTOR_WIDTH"])
"""
    words = [sys.executable, "-c", program, images.folder, tmp_path / "x.npy", tmp_path / "narrow.npy"]
    done = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=120)
    assert done.stdout == "256\n", done.stderr
    energies = np.load(tmp_path / "narrow.npy")
    by_command = command(
        "energy", images.folder, tmp_path / "x.npy", "--out", tmp_path / "e.npy", "--set", "data.range=[-1,1]"
    )
    assert by_command.returncode == 0, by_command.stderr
    np.testing.assert_array_equal(energies, np.load(tmp_path / "e.npy"))
    np.testing.assert_allclose(energies, images.model.energy(digits), rtol=1e-5)
