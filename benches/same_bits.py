"""Proves that a change changed no result: run it before and after, and compare the two lists.

    python3 benches/same_bits.py > before.txt

Every line is a short run (see benches/same_bits/main.rs) with the SHA-256 of its last checkpoint and of its
metrics.jsonl without what depends on time; what is refused stands there with its message, and counts as much. Sums are those of one
adapter, driver and machine.
"""

import argparse
import hashlib
import json
import pathlib
import subprocess
import tempfile

BUILD = ["cargo", "build", "--release", "--quiet", "--example", "same_bits"]
ROOT = pathlib.Path(__file__).resolve().parent.parent
BINARY = ROOT / "target/release/examples/same_bits"
TIMING = {"samples_per_second"}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def metrics(path):
    """The rows without what depends on time, in one spelling."""
    rows = (json.loads(line) for line in path.read_text().splitlines())
    kept = ({key: value for key, value in row.items() if key not in TIMING} for row in rows)
    return "\n".join(json.dumps(row) for row in kept).encode()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="an example `same_bits` that was built before, in place of the present tree's")
    parser.add_argument("--only", default="", help="only the runs whose line contains this text")
    arguments = parser.parse_args()
    if arguments.binary is None:
        subprocess.run(BUILD, check=True, cwd=ROOT)
    with tempfile.TemporaryDirectory() as root:
        command = [arguments.binary or BINARY, root, arguments.only]
        runs = 0
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                runs += 1
                folder, what, error = line.rstrip("\n").split("\t")
                run = pathlib.Path(root) / folder
                checkpoints = sorted((run / "checkpoints").glob("*.safetensors"))
                if checkpoints:
                    step = checkpoints[-1].name.split(".")[0]
                    # Averaged and live weights.
                    last = b"".join(path.read_bytes() for path in checkpoints if path.name.startswith(f"{step}."))
                    sums = f"{sha256(last)} {sha256(metrics(run / 'metrics.jsonl'))}"
                else:
                    sums = "no checkpoint"
                print(f"{what}: {sums} {error}".rstrip(), flush=True)
        if process.returncode:
            raise SystemExit(f"{command} ended with {process.returncode}")
        if runs == 0:
            raise SystemExit(f"no run's line contains '{arguments.only}'")


if __name__ == "__main__":
    main()
