"""The commands of the command line that are processes of their own, and the command line itself."""

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap

import pytest
from conftest import POINTS, command

import afterimage


def test_the_package_brings_the_command_line(tmp_path):
    program = shutil.which("afterimage", path=os.path.dirname(sys.executable))
    assert program, "no `afterimage` beside the interpreter"
    listed = subprocess.run([program, "presets", "--json"], capture_output=True, encoding="utf-8", timeout=60)
    assert listed.returncode == 0, listed.stderr
    assert "digits" in [preset["name"] for preset in json.loads(listed.stdout)]
    version = command("--version")
    assert version.stdout.strip() == f"afterimage {afterimage.__version__}"
    unknown = command("trian")
    assert unknown.returncode == 2 and "train" in unknown.stderr


def test_what_lies_in_the_working_folder_is_not_run(tmp_path):
    (tmp_path / "afterimage.py").write_text("raise SystemExit('the wrong one')")
    done = command("presets", cwd=tmp_path)
    if sys.version_info >= (3, 11):
        assert done.returncode == 0, done.stderr


def test_evaluate_has_the_figures_of_the_command_line(points, tmp_path):
    shutil.copytree(points.folder, tmp_path / "run")
    for name in ["evaluation.json", "evaluation.png"]:
        (tmp_path / "run" / name).unlink(missing_ok=True)
    words = ["--samples", "16", "--seed", "4", "--tolerance", "1e-3"]
    done = command("evaluate", tmp_path / "run", *words, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    figures = afterimage.evaluate(points, samples=16, seed=4, tolerance=1e-3)
    assert figures == json.loads(done.stdout)
    assert figures["log_z"] == points.evaluation["log_z"]


def test_evaluate_refuses_what_the_command_line_refuses(points, images, tmp_path):
    with pytest.raises(ValueError, match="chains"):
        afterimage.evaluate(points, chains=1)
    with pytest.raises(ValueError, match="no-such-thing"):
        afterimage.evaluate(points, no_such_thing=1)
    with pytest.raises(afterimage.Error, match="is not known"):
        afterimage.evaluate(images, only="density")
    with pytest.raises(afterimage.Error):
        afterimage.evaluate(tmp_path)
    with pytest.raises(afterimage.Error, match="only the keys of .data. can be set"):
        afterimage.evaluate(images, only="likelihood", **{"run.steps": 3})


def test_sweeps_compare(tmp_path):
    settings = {**POINTS, "run.steps": 3, "sampler.probe": 0}
    cells = afterimage.sweep(
        "moons",
        vary={"optimiser.rate": [1e-3, 2e-3]},
        rows={"fixed": {"snapshot.kind": "gaussian"}},
        seeds=1,
        only=["density"],
        samples=0,
        tolerance=1e-2,
        out=tmp_path / "sweep",
        **settings,
    )
    assert len(cells) == 3
    assert len({cell["cell"] for cell in cells}) == 3
    for cell in cells:
        folder = tmp_path / "sweep/cells" / cell["cell"]
        assert afterimage.Run(folder).model.step == 3
        assert cell["result"] == json.loads((folder / "cell.json").read_text())
        assert cell["result"]["figures"]["kl_data_model"] > 0
    assert (tmp_path / "sweep/sweep.csv").is_file()
    with pytest.raises(afterimage.Error, match="stepz"):
        afterimage.sweep("moons", vary=["run.stepz=1,2"], out=tmp_path / "other")


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_stops_a_sweep(tmp_path):
    program = textwrap.dedent(
        """
        import afterimage, json, os, pathlib, signal, sys, threading, time
        out, settings = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
        def interrupt():
            for _ in range(1200):
                if list(out.glob("cells/*/metrics.jsonl")):
                    break
                time.sleep(0.1)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            afterimage.sweep("moons", vary={"optimiser.rate": [1e-3, 2e-3]}, seeds=1, out=out, **settings)
        except KeyboardInterrupt:
            print("stopped")
        """
    )
    settings = json.dumps({**POINTS, "run.steps": 100_000})
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "sweep", settings], capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.stdout == "stopped\n", done.stderr
    # It has ended before the exception came, and written down what there is.
    assert (tmp_path / "sweep/sweep.md").is_file()


def test_cells_are_started_by_this_package(tmp_path):
    tasks = command("sweep", "moons", "--vary", "optimiser.rate=1e-3,2e-3", "--seeds", "1", "--out", tmp_path / "s", "--tasks")
    assert tasks.returncode == 0, tasks.stderr
    for line in tasks.stdout.splitlines():
        assert line.startswith(f"{sys.executable} -m afterimage sweep"), line
