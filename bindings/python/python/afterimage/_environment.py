"""What the environment should say before a driver is loaded, so that this process computes the bits of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

from . import _native
from ._notes import LOGGER

WIDTH = "LP_NATIVE_VECTOR_WIDTH"
SHADER_CACHE = "MESA_SHADER_CACHE_DIR"
# Says of which process a command is to be a part: it ends with that.
PARENT = "AFTERIMAGE_PARENT"
# What the environment said before.
BEFORE: dict[str, str | None] = {}
# Listing the adapters takes a fraction of a second.
MOST_SECONDS = 60


# Not one that a signal handler would wait for, which interrupts this.
_lock = threading.RLock()
_is_prepared = False


def prepare() -> None:
    """Sets the environment, once, where the user has not said otherwise. Other threads wait for that."""
    global _is_prepared
    with _lock:
        if not _is_prepared:
            _set()
            _is_prepared = True


def _forked() -> None:
    """In a process that was forked a thread may have had the lock that is not there any more."""
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


def _set() -> None:
    """What :func:`prepare` does once.

    On processors with AVX-512 the command line asks lavapipe, the driver that runs where there is no GPU, for vectors of 512
    bits, and starts itself again with narrower ones where a driver is known to be slower by them. A process of Python cannot
    be started again: another one asks beforehand.
    """
    wanted = dict(_native.environment())
    if WIDTH in wanted and not _takes_wide_vectors():
        wanted[WIDTH] = "256"
        if SHADER_CACHE in wanted:
            # Nor may the narrow shaders get among the wide ones.
            wanted[SHADER_CACHE] = os.path.join(os.path.dirname(wanted[SHADER_CACHE]), "mesa-256")
    for name in wanted:
        BEFORE.setdefault(name, os.environ.get(name))
    os.environ.update(wanted)


def _takes_wide_vectors() -> bool:
    """Whether the command line computes by them on this machine, or has no driver that could."""
    if not sys.executable or getattr(sys, "frozen", False):
        # Python within another program.
        return False
    try:
        listed = subprocess.run(
            [*interpreter(), "devices", "--json"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment(),
            timeout=MOST_SECONDS,
        )
        adapters = json.loads(listed.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        LOGGER.warning("whether the driver takes wide vectors is not known, and narrow ones are used: %s", error)
        return False
    return not any(adapter["kind"] == "cpu" and adapter["subgroup_sizes"] == [8, 8] for adapter in adapters)


def interpreter() -> list[str]:
    """What starts the command line, before its arguments."""
    return [sys.executable, "-m", __package__]


def environment() -> dict[str, str]:
    """The environment of another process that is to be this package, whatever lies in the working folder: it decides for itself how
    wide vectors are, and ends with this one."""
    changed = {name: value for name, value in {**os.environ, **BEFORE}.items() if value is not None}
    return {**changed, "PYTHONSAFEPATH": "1", PARENT: str(os.getpid())}


def end_with_parent() -> None:
    """Has this process stop, as by SIGTERM, where the one that asked for it ends before."""
    parent = os.environ.pop(PARENT, None)
    if parent is None or not sys.platform.startswith("linux"):
        return
    import ctypes
    import signal

    death_signal = 1
    ctypes.CDLL(None).prctl(death_signal, int(signal.SIGTERM))
    if os.getppid() != int(parent):
        # It has ended already.
        os.kill(os.getpid(), signal.SIGTERM)
