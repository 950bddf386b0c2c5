"""The target is the model's own prediction.

## What it does
Looks for labels that are the top class of every row, also of rows in which two classes are nearly
as likely; and for targets that are the outputs themselves, or their softmax. Of two
classes, labels that are all alike say nothing: the batch of a discriminator is all real, or all
made, and a constant gets it right.

## Why it matters
The loss then says how sure the model is, and not how right. Where two classes have 0.5 each, the
true one is the first of them half of the time: ten such rows are all "right" once in 1,024 times.

## Example
```python
import numpy as np
from plogq.doctor import check

logits = np.random.default_rng(0).normal(size=(150, 3))
check(logits, logits.argmax(axis=1), loss="cross_entropy")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

logits = np.random.default_rng(0).normal(size=(150, 3))
drawn = logits + np.random.default_rng(1).gumbel(size=logits.shape)
check(logits, drawn.argmax(axis=1), loss="cross_entropy")
```

## Fix safety
No fix: which column holds the truth is not seen here.

## Sources
- https://en.wikipedia.org/wiki/Leakage_(machine_learning)
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Finding, Place
from plogq.doctor.readings import step
from plogq.doctor.values import Scored, Values

# The top class is at most a quarter more likely than the next. A model that knows its own rows by
# heart is unsure of some, but hardly so unsure.
CLOSE = math.log(1.25)
CHANCE = 0.001  # that all of the close rows are right, below which it is no chance
STEPS = 8  # of rounding
FRACTION = 0.001  # saturated outputs and sure targets are both 0 and 1 but for less


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where the target follows from the outputs."""
    evidence = _equal(values)
    if evidence:
        because = "Targets that are not 0 and 1 do not equal outputs by chance."
    elif values.scored is not None:
        evidence = _all_right(values.scored)
        because = "A model that is as unsure as this one is wrong at times."
    if evidence:
        yield Finding(
            where=Place("target"),
            evidence=(evidence,),
            confidence="likely",
            because=because,
            fix="hand over the labels that were observed, not what the model chose",
        )


def _equal(values: Values) -> str:
    """Return what is seen where the target is the outputs, or the distribution they stand for."""
    t, x = values.distributions, values.rows
    if t is None or (np.abs(t - np.round(t)) > FRACTION).sum() < 2 or not (t != t[0]).any():
        return ""
    slack = STEPS * max(step(values.dtype), step(values.target_dtype))
    if values.loss.of != "distributions" and _near(x, t, slack):
        return f"all {t.size:,} targets are the outputs"
    of_logits = values.loss.takes == "logits" and values.classes > 1
    if of_logits and values.log_q is not None and _near(np.exp(values.log_q), t, slack):
        return f"all {len(t):,} rows of the target are the softmax of the outputs"
    return ""


def _near(x: np.ndarray, t: np.ndarray, slack: float) -> bool:
    return bool((np.abs(x - t) <= slack * np.maximum(1, np.abs(t))).all())


def _all_right(scored: Scored) -> str:
    """Return what is seen where rows in which two classes are close are all right."""
    x = scored.log_q
    if x.shape[1] == 2 and (scored.truth == scored.truth[0]).all():
        return ""
    ranked = np.partition(x, x.shape[1] - 2, axis=1)
    top, second = ranked[:, -1], ranked[:, -2]
    close = (top - second <= CLOSE) & (top > second)
    if not close.any() or (-scored.losses < top).any():
        return ""
    # Of two classes a row's label is one: the first, with the chance p / (p + q).
    chance = float(np.exp(-np.log1p(np.exp(second - top))[close].sum()))
    if chance >= CHANCE:
        return ""
    return (
        f"every label is its row's top class, also in {close.sum():,} rows where the next one is "
        f"at least 80 % as likely: the chance of that is {chance:.1g}"
    )
