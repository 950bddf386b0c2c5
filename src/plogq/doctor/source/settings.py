"""What pyproject.toml says under [tool.plogq.doctor]."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from plogq.errors import refuse


@dataclass(frozen=True)
class Settings:
    """Which checks look, and at what.

    Attributes
    ----------
    select, ignore
        Codes of checks, or how codes begin.
    exclude
        Patterns of paths that are not read.
    """

    select: Sequence[str] | None = None
    ignore: Sequence[str] | None = None
    exclude: Sequence[str] | None = None


def settings_for(paths: Sequence[str | Path], given: Settings) -> Settings:
    """Return the settings that were given, and the rest from the nearest pyproject.toml.

    It is looked for in the folder that holds all paths, and above it.

    Raises
    ------
    ValueError
        The file is no TOML, or its table holds something else than lists of texts.
    """
    whole = [Path(path).resolve() for path in paths]
    folders = [path if path.is_dir() else path.parent for path in whole]
    nearest = Path(os.path.commonpath(folders))
    for folder in (nearest, *nearest.parents):
        file = folder / "pyproject.toml"
        if file.is_file():
            found = _read(file)
            mine = {each.name: getattr(given, each.name) for each in fields(given)}
            return replace(found, **{name: one for name, one in mine.items() if one is not None})
    return given


def _read(file: Path) -> Settings:
    try:
        whole: Any = tomllib.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None
    table = whole.get("tool", {}).get("plogq", {}).get("doctor", {})
    names = [each.name for each in fields(Settings)]
    for name, value in table.items():
        at = f"{file}: tool.plogq.doctor.{name}"
        if name not in names:
            refuse(at, f"be one of {', '.join(names)}", name)
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            refuse(at, "be a list of texts", value)
    return Settings(**table)
