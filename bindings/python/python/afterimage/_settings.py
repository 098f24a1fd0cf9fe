"""Settings as Python has them, and as the engine reads them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from . import _native

#: A preset's name, the path of a TOML file, or sections of keys with values, as a TOML file has them.
Source = str | os.PathLike[str] | Mapping[str, Mapping[str, Any]]


def read(source: Source) -> tuple[str, str | None]:
    """The name or path of a source, and as JSON its sections where it is none."""
    if isinstance(source, Mapping):
        return "run", json.dumps(source, default=_plain)
    return os.fspath(source), None


def presets() -> dict[str, str]:
    """The ready-made configurations by their names, with a line about each."""
    return dict(_native.presets())


def config(source: Source, /, **settings: Any) -> dict[str, Any]:
    """The settings that :func:`afterimage.train` would train with, by sections; keys that are absent are left out.

    Args:
        source, settings: as for :func:`afterimage.train`.

    Raises:
        ValueError: a setting cannot be used.
    """
    name, sections = read(source)
    resolved: dict[str, Any] = json.loads(_native.config(name, sections, assignments(settings)))
    return resolved


def assignments(settings: Mapping[str, Any]) -> list[str]:
    """``section.key=value`` for each; ``None`` puts a key back to its default."""
    return [f"{key}={'' if value is None else literal(value)}" for key, value in settings.items()]


def literal(value: Any) -> str:
    """A value as TOML."""
    value = _plain(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {literal(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(map(literal, value)) + "]"
    raise ValueError(f"{value!r} is no value of a setting: give a number, a text, a list or a dict")


def _plain(value: Any) -> Any:
    """A path as text, a number or array of NumPy as Python's."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (bool, int, float, str, Mapping, Sequence)):
        return value
    raise ValueError(f"{value!r} is no value of a setting: give a number, a text, a list or a dict")
