"""Training: the command line's runs, callbacks, and what ends a run early."""

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from conftest import IMAGES, POINTS, command

import afterimage
from afterimage import _progress, _settings
from afterimage._train import Told

#: What a run writes that depends on nothing but its seed.
SAME = ["checkpoints/000006.safetensors", "checkpoints/000006.live.safetensors", "config.toml", "diagnostics.jsonl"]


def sets(settings):
    return [word for assignment in _settings.assignments(settings) for word in ("--set", assignment)]


def without_times(folder):
    """The metrics of a run but for what clocks say."""
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if "second" not in key} for row in rows]


@pytest.mark.parametrize(("preset", "settings"), [("moons", POINTS), ("digits", IMAGES)])
def test_a_run_has_the_bits_of_the_command_line(preset, settings, points, images, tmp_path):
    run = points if preset == "moons" else images
    if preset == "moons":
        settings = {**settings, "sampler.traces": True}
    done = command("train", preset, "--out", tmp_path / "run", "--seed", "3", *sets(settings))
    assert done.returncode == 0, done.stderr
    for name in SAME + (["traces.npy"] if preset == "moons" else []):
        if name != "diagnostics.jsonl" or preset == "moons":
            assert (run.folder / name).read_bytes() == (tmp_path / "run" / name).read_bytes(), name
    assert without_times(run.folder) == without_times(tmp_path / "run")
    names = {path.name for path in run.folder.iterdir()} - {"evaluation.json", "evaluation.png"}
    assert names == {path.name for path in (tmp_path / "run").iterdir()}


def test_what_a_run_holds(points):
    metrics = points.metrics
    assert metrics["step"].tolist() == list(range(6))
    assert all(len(values) == 6 for values in metrics.values())
    assert np.isfinite(metrics["loss"]).all()
    # Figures of every hundredth step alone.
    assert metrics["data_distance"].dtype == np.float64
    assert points.summary["steps"] == 6 and not points.summary["stopped"]
    assert points.config["run"]["seed"] == 3
    assert points.diagnostics and points.diagnostics[-1]["chains"] > 0
    assert points.traces.ndim == 3 and points.traces.shape[2] == 4
    assert points.model is points.model
    with pytest.raises(afterimage.FileError):
        afterimage.Run(points.folder / "checkpoints")


def test_steps_are_told_in_order(tmp_path):
    rows = []
    run = afterimage.train("moons", out=tmp_path / "run", progress=False, on_step=rows.append, **POINTS)
    assert [row["step"] for row in rows] == list(range(6))
    assert [row["loss"] for row in rows] == pytest.approx(run.metrics["loss"].tolist(), abs=0)
    assert rows == [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]


def test_a_dict_and_a_file_are_sources(tmp_path):
    sections = {
        "data": {"source": "moons"},
        "network": {"layers": [{"dense": 4}, {"dense": 1}]},
        "run": {"steps": np.int64(2), "batch": 16, "sample_every": 0, "sample_steps": 2},
        "sampler": {"buffer": 32, "probe": 0},
    }
    run = afterimage.train(sections, out=tmp_path / "dict", progress=False, **{"run.seed": 5})
    assert run.config["run"]["seed"] == 5 and run.model.step == 2
    again = afterimage.train(run.folder / "config.toml", out=tmp_path / "file", progress=False)
    assert again.config == run.config
    np.testing.assert_array_equal(again.metrics["loss"], run.metrics["loss"])


def test_runs_without_a_name_get_the_next_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = {**POINTS, "run.steps": 1, "sampler.probe": 0}
    folders = [str(afterimage.train("moons", progress=False, **settings).folder) for _ in range(2)]
    assert folders == ["runs/moons", "runs/moons-2"]
    assert str(afterimage.train("moons", force=True, progress=False, **settings).folder) == "runs/moons"


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        ("digitz", {}),
        ("digits", {"run.stepz": 1}),
        ("digits", {"run.steps": "many"}),
        ("digits", {"run.steps": -1}),
        ("digits", {"data.path": "nowhere"}),
        ("digits", {"network.layers": [{"dense": 4}, {"conv": 1, "kernel": 1}]}),
    ],
)
def test_settings_are_refused_in_the_words_of_the_command_line(source, settings, tmp_path):
    with pytest.raises(ValueError) as refused:
        afterimage.train(source, out=tmp_path / "run", progress=False, **settings)
    done = command("train", source, "--out", tmp_path / "run", *sets(settings))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: {refused.value}"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "source", [{"run": {"steps": None}}, {"run": 3}, {"run": {"stepz": 3}}, {"run": {"steps": object()}}, {"runs": {}}]
)
def test_dicts_that_are_no_settings_are_refused(source, tmp_path):
    with pytest.raises(ValueError):
        afterimage.train(source, out=tmp_path / "run", progress=False)


@pytest.mark.parametrize("first", [LookupError("first"), KeyboardInterrupt()])
def test_what_cannot_be_kept_is_said(first, tmp_path):
    folder = tmp_path / "run"

    def fail(row):
        # What is at the end to be written has no place. At once, for a state may just be written there.
        folder.rename(tmp_path / "away")
        folder.write_text("")
        raise first from ValueError("why")

    with pytest.raises(type(first)) as raised:
        afterimage.train("moons", out=folder, progress=False, on_step=fail, **POINTS)
    assert raised.value is first and raised.value.run is None
    assert isinstance(first.__cause__, afterimage.FileError) and str(folder) in str(first.__cause__)
    assert isinstance(first.__cause__.__cause__, ValueError)
    assert not getattr(first, "__notes__", [])


@pytest.mark.parametrize(
    "ended", [KeyboardInterrupt(), afterimage.DeviceError("x"), afterimage.FileError("x"), afterimage.DivergedError("x")]
)
def test_what_ends_a_run_has_it(ended, points):
    told = Told(None, False)

    def begin():
        told("folder", points.folder)
        # Such as by a second Ctrl-C.
        raise ended

    with pytest.raises(type(ended)) as raised:
        told.run(begin, None)
    assert raised.value is ended and raised.value.run.folder == points.folder
    assert not getattr(ended, "__notes__", [])


def test_arguments_that_cannot_be_are_refused(points, tmp_path):
    for wrong in [{"seed": -1}, {"seed": 1.5}, {"run.steps": object()}]:
        with pytest.raises(ValueError):
            afterimage.train("moons", out=tmp_path / "run", progress=False, **{**POINTS, **wrong})
    with pytest.raises(afterimage.FileError) as refused:
        afterimage.train("moons", out=points.folder, progress=False, **POINTS)
    # That run is another one.
    assert refused.value.run is None
    with pytest.raises(afterimage.DeviceError):
        afterimage.train("moons", out=tmp_path / "run", adapter="none such", progress=False, **POINTS)
    with pytest.raises(afterimage.FileError):
        afterimage.resume(tmp_path, progress=False)
    with pytest.raises(ValueError) as refused:
        afterimage.resume(points.folder, progress=False)
    assert "is finished" in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_false_stops_a_run_and_it_goes_on_to_the_same_bits(tmp_path):
    settings = {**POINTS, "run.steps": 60}
    whole = afterimage.train("moons", out=tmp_path / "whole", seed=3, progress=False, **settings)
    run = afterimage.train(
        "moons", out=tmp_path / "run", seed=3, progress=False, on_step=lambda row: row["step"] < 2, **settings
    )
    # Steps that the device was handed already are done.
    assert run.summary["stopped"] and 3 <= run.summary["steps"] < 60
    resumed = afterimage.resume(run.folder, progress=False)
    assert resumed.summary["steps"] == 60
    for name in ["checkpoints/000060.safetensors", "checkpoints/000060.live.safetensors", "config.toml", "diagnostics.jsonl"]:
        assert (whole.folder / name).read_bytes() == (resumed.folder / name).read_bytes(), name
    assert without_times(whole.folder) == without_times(resumed.folder)


def test_what_a_callback_raises_comes_through(tmp_path):
    def fail(row):
        if row["step"] == 1:
            raise LookupError("as it was raised")

    with pytest.raises(LookupError, match="as it was raised") as raised:
        afterimage.train("moons", out=tmp_path / "run", progress=False, on_step=fail, **{**POINTS, "run.steps": 500})
    run = raised.value.run
    assert run.folder == tmp_path / "run" and run.summary["stopped"]
    assert 2 <= run.summary["steps"] < 500
    if sys.version_info >= (3, 11):
        (note,) = raised.value.__notes__
        assert note == f"the run was kept in {run.folder}: afterimage.resume({str(run.folder)!r}) goes on with it"
    assert fail.__name__ in [entry.name for entry in raised.traceback]


@pytest.mark.parametrize("progress", [False, True])
def test_runs_that_diverge_say_so(tmp_path, progress):
    settings = {**POINTS, "run.steps": 400, "run.rollbacks": 0, "optimiser.rate": 1e8, "optimiser.gradient_clip": 0.0}
    settings |= {"optimiser.warmup": 0, "sampler.kind": "langevin", "sampler.jumps": 0}
    with pytest.raises(afterimage.DivergedError) as diverged:
        afterimage.train("moons", out=tmp_path / "run", progress=progress, **settings)
    assert "the run diverged at step" in str(diverged.value)
    assert diverged.value.run.summary["diverged"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_stops_a_run_and_keeps_it(tmp_path):
    program = textwrap.dedent(
        """
        import afterimage, json, sys
        settings = json.loads(sys.argv[2])
        def tell(row):
            print(row["step"], flush=True)
        try:
            afterimage.train("moons", out=sys.argv[1], progress=False, on_step=tell, **settings)
        except KeyboardInterrupt as interrupt:
            print("stopped", interrupt.run.summary["steps"], interrupt.run.summary["stopped"], flush=True)
        """
    )
    settings = json.dumps({**POINTS, "run.steps": 100_000})
    process = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "run", settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        assert process.stdout.readline().strip() == "0"
        process.send_signal(signal.SIGINT)
        printed, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert process.returncode == 0, said
    word, steps, stopped = printed.splitlines()[-1].split()
    assert word == "stopped" and 1 <= int(steps) < 100_000 and stopped == "True"
    assert (tmp_path / "run/summary.json").is_file()


def test_models_are_used_while_a_run_goes_on(points, tmp_path):
    x = np.zeros((3, 2), np.float32)
    wanted = points.model.energy(x)
    found = []
    afterimage.train(
        "moons", out=tmp_path / "run", progress=False, on_step=lambda row: found.append(points.model.energy(x)), **POINTS
    )
    assert len(found) == 6
    for energies in found:
        np.testing.assert_array_equal(energies, wanted)


def test_warnings_are_logged(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="afterimage"):
        settings = {**POINTS, "run.steps": 1, "network.slope": 0.1}
        afterimage.train("moons", out=tmp_path / "run", progress=False, **settings)
    warnings = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert any("network.slope" in text for text in warnings), warnings


class TestProgress:
    def test_lines_are_few(self, capsys, monkeypatch):
        shown = _progress.Lines()
        clock = iter([0.0, 1.0, 2.0, 6.0, 6.5])
        monkeypatch.setattr(time, "monotonic", lambda: next(clock))
        shown.begin(0, 5)
        row = {"loss": 0.5, "energy_data": 1.0, "energy_noise": -1.0, "nce_accuracy": 0.75}
        for step in range(5):
            shown.step({**row, "step": step})
        lines = capsys.readouterr().err.splitlines()
        assert [line.split()[1] for line in lines] == ["1/5", "4/5", "5/5"]
        assert "loss 0.500" in lines[0]

    @pytest.mark.parametrize("shown", ["lines", "bars"])
    def test_what_is_not_finite_is_shown(self, shown, capsys):
        """It must not end a run that goes back by itself."""
        rows = []
        told = Told(rows.append, None)
        told._progress = _progress.Lines() if shown == "lines" else _progress.Bars(pytest.importorskip("tqdm").tqdm)
        told("begin", ("{}", 0, 1))
        row = {"step": 0, "loss": None, "energy_data": None, "energy_noise": None, "nce_accuracy": 0.5, "data_distance": None}
        assert told("step", json.dumps(row)) is None
        told.close()
        assert "loss nan  E data +nan noise +nan  accuracy 0.50" in capsys.readouterr().err
        assert np.isnan([rows[0][name] for name in ("loss", "energy_data", "energy_noise")]).all()
        assert rows[0]["data_distance"] is None and rows[0]["nce_accuracy"] == 0.5

    def test_nobody_looks_on(self):
        assert _progress.progress(False) is None
        # Tests have no terminal.
        assert _progress.progress(None) is None

    def test_a_run_is_shown(self, tmp_path, capsys):
        afterimage.train("moons", out=tmp_path / "run", progress=True, **POINTS)
        shown = capsys.readouterr().err
        assert "step" in shown and "6/6" in shown


def test_settings_are_those_of_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "digits" in afterimage.presets()
    settings = afterimage.config({"data": {"source": "npy", "path": "x.npy"}}, **{"run.steps": 7})
    # Whoever goes on with the run from elsewhere finds the same file.
    assert settings["data"]["path"] == str(tmp_path.resolve() / "x.npy")
    assert settings["run"]["steps"] == 7
    with pytest.raises(ValueError, match="stepz"):
        afterimage.config("moons", **{"run.stepz": 7})


def test_what_numpy_calls_false_stops_a_run(tmp_path):
    settings = {**POINTS, "run.steps": 500}
    run = afterimage.train("moons", out=tmp_path / "run", progress=False, on_step=lambda row: np.float64(1) < 0, **settings)
    assert run.summary["stopped"]


def test_settings_are_read_without_a_device(points, tmp_path, monkeypatch):
    monkeypatch.setattr(afterimage._native, "load", None)
    # Other tests evaluate this run.
    shutil.copytree(points.folder, tmp_path / "run", ignore=shutil.ignore_patterns("evaluation.json"))
    run = afterimage.Run(tmp_path / "run")
    assert run.config["run"]["steps"] == 6 and run.evaluation is None
