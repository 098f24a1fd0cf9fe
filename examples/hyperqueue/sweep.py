#!/usr/bin/env python3
"""Does a sweep on HyperQueue, a task a cell, and compares the cells when all have ended.

    pip install hyperqueue
    python3 examples/hyperqueue/sweep.py 8gaussians --vary snapshot.interval=1,10 --out /a/folder/that/all/workers/see

The arguments are those of `afterimage sweep`; the same command again does what is still to be done. HQ_SERVER_DIR names the
folder of a running server, whose workers may be anywhere; without it, a server and a worker on all cores of this machine
serve this sweep alone. AFTERIMAGE names the program, HQ_CORES the cores of a cell (1), which are also the threads of a
software renderer.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from hyperqueue import Client, Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
from hyperqueue.ffi.protocol import ResourceRequest


def main():
    program = shutil.which(os.environ.get("AFTERIMAGE", "afterimage"))
    if program is None:
        sys.exit("there is no program `afterimage`: name it with AFTERIMAGE")
    sweep = [program, "sweep", *sys.argv[1:]]
    listed = subprocess.run([*sweep, "--tasks"], stdout=subprocess.PIPE, text=True, check=True)
    tasks = listed.stdout.splitlines()
    if tasks:
        server = os.environ.get("HQ_SERVER_DIR")
        if server:
            work(Client(server), tasks)
        else:
            with LocalCluster() as cluster:
                cluster.start_worker(WorkerConfig())
                work(cluster.client(), tasks)
    # Its exit status says whether cells have failed.
    sys.exit(subprocess.run([*sweep, "--collect"]).returncode)


def work(client, tasks):
    """Hands out the commands `tasks` and waits for all of them, whatever becomes of some."""
    cores = os.environ.get("HQ_CORES", "1")
    job = Job(default_workdir=Path.cwd(), max_fails=len(tasks))
    for number, task in enumerate(tasks, 1):
        job.program(
            ["sh", "-c", f"exec {task}"],
            env={"LP_NUM_THREADS": cores},
            stdout=f"hyperqueue-{number}.out",
            stderr=f"hyperqueue-{number}.err",
            resources=ResourceRequest(cpus=int(cores)),
        )
    client.wait_for_jobs([client.submit(job)], raise_on_error=False)


if __name__ == "__main__":
    main()
