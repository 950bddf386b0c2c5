"""Lists of {"label": "cat", "score": 0.7}, as pipelines of Hugging Face give for each text."""

from __future__ import annotations

from typing import Any

FIELDS = {"label", "score"}


def by_label(value: Any) -> Any:
    """Return such a list as one record of all scores, {"cat": 0.7, …}; anything else as it is.

    Examples
    --------
    >>> by_label([{"label": "cat", "score": 0.7}, {"label": "dog", "score": 0.3}])
    {'cat': 0.7, 'dog': 0.3}
    >>> by_label([0.7, 0.3])
    [0.7, 0.3]
    """
    if not isinstance(value, list) or len(value) < 2 or not all(map(_is_score, value)):
        return value
    scores = {each["label"]: each["score"] for each in value}
    return scores if len(scores) == len(value) else value


def _is_score(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == FIELDS and isinstance(value["label"], str)
