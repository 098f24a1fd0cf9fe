"""How far a run is: a bar by tqdm where that is installed, else a line now and then."""

from __future__ import annotations

import sys
import time
from typing import Any, Protocol

#: Seconds between two plain lines.
PLAIN_EVERY = 5.0


class Progress(Protocol):
    """What is told how far a run is. Metrics of a step that are not finite are NaN."""

    def begin(self, done: int, of: int) -> None: ...
    def step(self, row: dict[str, Any]) -> None: ...
    def stage(self, what: str, done: int, of: int) -> None: ...
    def close(self) -> None: ...


def progress(wanted: bool | None) -> Progress | None:
    """What shows progress: always, never, or as None has it where somebody looks on: in a terminal or a notebook."""
    if wanted is None:
        wanted = sys.stderr is not None and (sys.stderr.isatty() or _in_notebook())
    if not wanted:
        return None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return Lines()
    return Bars(tqdm)


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return type(shell).__name__ == "ZMQInteractiveShell"


def described(row: dict[str, Any]) -> str:
    """The metrics of a step in a few words."""
    energies = f"E data {row['energy_data']:+.2f} noise {row['energy_noise']:+.2f}"
    return f"loss {row['loss']:.3f}  {energies}  accuracy {row['nce_accuracy']:.2f}"


class Bars:
    """Bars of tqdm: of the steps, and then of whatever takes long."""

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._bar: Any = None
        self._of: tuple[str, int] | None = None

    def begin(self, done: int, of: int) -> None:
        self._show("step", done, of)

    def step(self, row: dict[str, Any]) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(described(row), refresh=False)
            self._bar.update(row["step"] + 1 - self._bar.n)

    def stage(self, what: str, done: int, of: int) -> None:
        self._show(what, done, of)

    def _show(self, what: str, done: int, of: int) -> None:
        if self._of != (what, of):
            self.close()
            self._bar = self._tqdm(desc=what, initial=done, total=of, leave=what == "step")
            self._of = what, of
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
        self._bar = self._of = None


class Lines:
    """Plain lines on stderr."""

    def __init__(self) -> None:
        self._last = float("-inf")
        self._steps = 0

    def begin(self, done: int, of: int) -> None:
        self._steps = of

    def step(self, row: dict[str, Any]) -> None:
        self._line("step", row["step"] + 1, self._steps, described(row))

    def stage(self, what: str, done: int, of: int) -> None:
        self._line(what, done, of, "")

    def _line(self, what: str, done: int, of: int, more: str) -> None:
        now = time.monotonic()
        if done >= of or now - self._last >= PLAIN_EVERY:
            self._last = now
            print(f"{what} {done}/{of}  {more}".rstrip(), file=sys.stderr)

    def close(self) -> None:
        pass
