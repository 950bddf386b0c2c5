"""Results as JSON: plain records under the names of their fields."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np


def to_json(record: dict[str, Any]) -> str:
    """Return a record as JSON text; infinities, which JSON lacks, are "inf" and "-inf"."""
    return json.dumps(encoded(record), indent=1, allow_nan=False)


def encoded(value: Any) -> Any:
    """Return a value in the types of JSON: infinities are texts, NaN is null.

    What JSON has no type for (a date, a decimal, bytes: an id may be any) becomes its text.

    Examples
    --------
    >>> encoded({"p": np.array([0.5, np.inf]), "n": np.int64(3), "ok": True})
    {'p': [0.5, 'inf'], 'n': 3, 'ok': True}
    """
    match value:
        case float() if not math.isfinite(value):
            return None if math.isnan(value) else "inf" if value > 0 else "-inf"
        case str() | int() | float() | None:
            return value
        case dict():
            return {str(name): encoded(item) for name, item in value.items()}
        case list() | tuple():
            return [encoded(item) for item in value]
        case np.ndarray() | np.generic():
            return encoded(value.tolist())
    return str(value)
