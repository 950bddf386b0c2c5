"""A score's JSON, checked: what comes from a file or an upload may be anything."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from plogq.formulas.units import UNITS, one_of_units
from plogq.score.result import SCHEMA, Result

Document = dict[str, Any]
Check = Callable[[Any, str], None]

MOST = 1 << 53  # rows: what a float64, and so JavaScript, still counts one by one


def to_document(result: Result | Mapping[str, Any]) -> Document:
    """Give the JSON document of a result, or check one that is at hand.

    Raises
    ------
    ValueError
        If it is not the JSON of `plogq score`; says which field, and what was expected. Fields
        that earlier versions did not write may be absent.

    Examples
    --------
    >>> to_document({"schema": 2})
    Traceback (most recent call last):
    ...
    ValueError: schema: expected 1, got 2; is this the JSON of plogq score?
    """
    if isinstance(result, Result):
        return dict(json.loads(result.to_json()))
    if not isinstance(result, Mapping) or result.get("schema") != SCHEMA:
        found = result.get("schema") if isinstance(result, Mapping) else result
        raise _wrong("schema", str(SCHEMA), found, "; is this the JSON of plogq score?")
    _DOCUMENT(result, "")
    if len(set(result["classes"])) < len(result["classes"]):
        raise ValueError("classes: expected different names, got one of them twice")
    return dict(result)


def _wrong(at: str, expected: str, found: Any, more: str = "") -> ValueError:
    shown = repr(found)
    return ValueError(
        f"{at}: expected {expected}, got {shown if len(shown) <= 60 else shown[:59] + '…'}{more}"
    )


def _text(value: Any, at: str) -> None:
    if not isinstance(value, str):
        raise _wrong(at, "a text", value)


def _finite(value: Any, at: str) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not abs(value) <= sys.float_info.max:  # a whole number may be beyond it
        raise _wrong(at, "a finite number", value)


def _number(value: Any, at: str) -> None:
    if value != "inf" and value != "-inf":
        try:
            _finite(value, at)
        except ValueError:
            raise _wrong(at, 'a number, "inf" or "-inf"', value) from None


def _share(value: Any, at: str) -> None:
    _finite(value, at)
    if not 0 <= value <= 1 + 1e-9:
        raise _wrong(at, "a share from 0 to 1", value)


def _count(value: Any, at: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST:
        raise _wrong(at, "a whole number from 0 to 2^53", value)


def _scalar(value: Any, at: str) -> None:
    if value is not None and not isinstance(value, str | int | float):
        raise _wrong(at, "a text or a number", value)


def _unit(value: Any, at: str) -> None:
    if value not in UNITS:
        raise _wrong(at, one_of_units(), value)


def _optional(check: Check) -> Check:
    return lambda value, at: None if value is None else check(value, at)


def _list(check: Check, *, least: int = 0, most: int | None = None) -> Check:
    def checked(value: Any, at: str) -> None:
        if not isinstance(value, list | tuple):
            raise _wrong(at, "a list", value)
        if len(value) < least or (most is not None and len(value) > most):
            raise _wrong(at, f"{least} items" if least == most else f"at least {least}", value)
        for i, item in enumerate(value):
            check(item, f"{at}[{i}]")

    return checked


def _tuple(*checks: Check) -> Check:
    def checked(value: Any, at: str) -> None:
        if not isinstance(value, list | tuple) or len(value) != len(checks):
            raise _wrong(at, f"a list of {len(checks)}", value)
        for i, (check, item) in enumerate(zip(checks, value, strict=True)):
            check(item, f"{at}[{i}]")

    return checked


def _map(check: Check) -> Check:
    def checked(value: Any, at: str) -> None:
        if not isinstance(value, Mapping):
            raise _wrong(at, "an object", value)
        for name, item in value.items():
            check(item, f"{at}.{name}" if at else str(name))

    return checked


def _record(required: Mapping[str, Check], absent: Mapping[str, Check] | None = None) -> Check:
    """Check an object's fields: those it must have, and those that it may have."""

    def checked(value: Any, at: str) -> None:
        if not isinstance(value, Mapping):
            raise _wrong(at, "an object", value)
        for name, check in {**required, **(absent or {})}.items():
            place = f"{at}.{name}" if at else name
            if name in value:
                check(value[name], place)
            elif name in required:
                raise ValueError(f"{place}: expected, and not there")

    return checked


def _histogram(value: Any, at: str) -> None:
    _record({"edges": _list(_finite, least=2), "weight": _list(_share, least=1)},
            {"beyond": _share, "infinite": _share})(value, at)  # fmt: skip
    edges = value["edges"]
    if len(edges) != len(value["weight"]) + 1:
        raise ValueError(f"{at}: expected one edge more than weights")
    if any(low >= high for low, high in pairwise(edges)):
        raise _wrong(f"{at}.edges", "edges that increase", edges)


def _positive(value: Any, at: str) -> None:
    _finite(value, at)
    if value <= 0:
        raise _wrong(at, "a number above 0", value)


_DOCUMENT = _record(
    {
        "source": _record({"paths": _list(_text, least=1)}, {"notes": _list(_text)}),
        "kind": _text,
        "unit": _unit,
        "rows": _count,
        "weight": _finite,
        "classes": _list(_text, least=1),
        "cross_entropy": _number,
        "cross_entropy_finite": _optional(_number),
        "zero_probability_rows": _count,
        "label_entropy": _finite,
        "information_gain": _number,
        "explained": _optional(_number),
        "temperature": _optional(
            _record(
                {
                    "value": _positive,
                    "interval": _optional(_tuple(_positive, _positive)),
                    "identified": _scalar,
                    "cross_entropy": _number,
                },
                {"curve": _list(_tuple(_positive, _number))},
            )
        ),
        "entropy_floor": _optional(_number),
        "kl": _optional(_number),
        "perplexity": _number,
        "accuracy": _share,
        "brier": _number,
        "prediction_entropy": _number,
        "overconfidence": _number,
        "per_class": _list(
            _record(
                {
                    "class": _text,
                    "rows": _count,
                    "bits": _optional(_number),
                    "share": _optional(_share),
                    "accuracy": _optional(_share),
                    "mistaken_for": _list(_tuple(_text, _count, _optional(_number))),
                }
            )
        ),
        "reliability": _list(
            _record(
                {
                    "bin": _tuple(_share, _share),
                    "rows": _count,
                    "confidence": _optional(_share),
                    "accuracy": _optional(_share),
                }
            )
        ),
        "surprises": _list(
            _record(
                {"label": _text, "predicted": _text, "q_label": _number, "surprisal": _number},
                {"id": _scalar, "row": _scalar},
            )
        ),
        "slices": _map(
            _map(
                _record(
                    {
                        "rows": _count,
                        "cross_entropy": _optional(_number),
                        "information_gain": _optional(_number),
                    }
                )
            )
        ),
        "warnings": _list(_record({"message": _text, "rows": _count})),
    },
    {
        "floor": _optional(_record({"p": _number, "rows": _count, "cross_entropy": _number})),
        "refinement": _optional(_number),
        "miscalibration": _optional(_number),
        "resolution": _optional(_number),
        "recalibration": _optional(
            _record(
                {"family": _text, "cross_entropy": _map(_optional(_number))}, {"aside": _map(_text)}
            )
        ),
        "intervals": _map(_optional(_tuple(_number, _number))),
        "histograms": _record({}, {"surprisal": _histogram, "pointwise_information": _histogram}),
        "confusion": _list(
            _record({"label": _text, "predicted": _text, "rows": _count, "cost": _number})
        ),
        "code": _optional(
            _record(
                {
                    "bytes": _count,
                    "bits_per_row": _number,
                    "exact_bits_per_row": _optional(_number),
                    "quantisation_kl": _optional(_number),
                    "overhead": _optional(_number),
                },
                {"coder_bits_per_row": _number, "framing_bits_per_row": _number},
            )
        ),
    },
)
