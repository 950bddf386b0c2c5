"""Lists of {"label": "cat", "score": 0.7} or the like, as pipelines give for each text."""

from __future__ import annotations

from typing import Any

LABELS = ("label", "name", "class")
SCORES = ("score", "confidence", "probability")


def by_label(value: Any) -> Any:
    """Return such a list as one record of all scores, {"cat": 0.7, …}; anything else as it is.

    Examples
    --------
    >>> by_label([{"label": "cat", "score": 0.7}, {"label": "dog", "score": 0.3}])
    {'cat': 0.7, 'dog': 0.3}
    >>> by_label([0.7, 0.3])
    [0.7, 0.3]
    """
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[0], dict):
        return value
    label, score = (
        next((name for name in names if name in value[0]), "") for names in (LABELS, SCORES)
    )
    if not all(isinstance(x, dict) and x.keys() == {label, score} for x in value):
        return value
    scores = {x[label]: x[score] for x in value if isinstance(x[label], str)}
    return scores if len(scores) == len(value) else value
