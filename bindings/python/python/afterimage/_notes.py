"""What is no error and should be known: the engine says it, Python's logging passes it on."""

from __future__ import annotations

import logging
from collections.abc import Iterable

LOGGER = logging.getLogger("afterimage")


def say(lines: Iterable[str]) -> None:
    """Logs lines: those that begin with ``warning: `` as warnings, all others as information."""
    for line in lines:
        before, separator, after = line.partition("warning: ")
        if separator and not before.strip():
            LOGGER.warning("%s", after)
        else:
            LOGGER.info("%s", line.removeprefix("note: "))
