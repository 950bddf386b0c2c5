"""A KL divergence is not given what it takes, or not divided by the rows.

## What it does
Looks at what a KL divergence is given: log-probabilities first and probabilities second in torch
(log-probabilities twice with `log_target=True`) and in optax, probabilities twice in Keras; and at
`reduction="mean"` in torch.

## Why it matters
torch computes Σ t (log t − input), whatever the input is. Of p = t = [0.5, 0.5] it says −1.193 nats
where the divergence is 0, if the probabilities were not turned into logarithms. And "mean" divides
by rows times classes, which makes the divergence smaller by a factor of 1,000 for 1,000 classes.

## Example
```python
import numpy as np
from plogq.doctor import check

p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
t = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
check(p, t, loss="kl_div", reduction="batchmean")
```

## Use instead
```python
import numpy as np
from plogq.doctor import check

p = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1]])
t = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1]])
check(np.log(p), t, loss="kl_div", reduction="batchmean")
```

## Fix safety
No fix: the call is not seen here.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.KLDivLoss.html
- https://github.com/pytorch/pytorch/issues/6622
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from plogq.doctor.finding import Cost, Finding, Place
from plogq.doctor.readings import (
    Array,
    are_distributions,
    are_log_probabilities,
    log_softmax,
    tolerance,
)
from plogq.doctor.values import Values

LOGS, PROBABILITIES, NEITHER = "log-probabilities", "probabilities", "neither of them"


def find(values: Values) -> Iterator[Finding]:
    """Yield a finding where an argument is no distribution of the kind that is taken."""
    t = values.distributions
    if values.loss.of != "distributions" or t is None or values.classes < 2 or t.size == 0:
        return
    x = values.rows
    wanted = values.loss.takes
    of_target = LOGS if values.options.get("log_target") else PROBABILITIES
    was, target_was = _read(x, values.dtype), _read(t, values.target_dtype)
    evidence, fix = [], []
    if was == PROBABILITIES and target_was == LOGS and wanted != PROBABILITIES:
        evidence.append("the first argument holds probabilities and the second their logarithms")
        fix.append("exchange the two: the model's log-probabilities come first")
    else:
        if was != wanted and (was != NEITHER or _cannot_be(x, wanted, values.dtype)):
            evidence.append(f"the first argument must hold {wanted}; it holds {was}")
            fix.append(_mend(wanted))
        cannot = _cannot_be(t, of_target, values.target_dtype)
        if target_was != of_target and (target_was != NEITHER or cannot):
            evidence.append(f"the target must hold {of_target}; it holds {target_was}")
            fix.append(_mend(of_target, " of the target"))
    spaces_wrong = bool(evidence)
    if values.framework == "torch" and values.options.get("reduction") == "mean":
        evidence.append(f'"mean" divides by rows × {values.classes:,} classes')
        fix.append('say reduction="batchmean"')
    if not evidence:
        return
    right = _divergence(x, was, t, target_was)
    cost = None
    if right is not None and np.isfinite(right):
        as_is = _as_given(x, t, values)
        evidence.append(f"the loss is {as_is:.4g}; the divergence of the rows is {right:.4g}")
        how = "how far the loss is from the divergence of the rows"
        cost = Cost.if_any(abs(right - as_is), how)
    yield Finding(
        where=Place("outputs"),
        evidence=tuple(evidence),
        confidence="certain" if len(x) > 1 or not spaces_wrong else "likely",
        because=(
            "Rows that sum to 1, and rows whose exponentials do, are not so by chance."
            if spaces_wrong
            else "A divergence is of a whole distribution."
        ),
        fix="; ".join(fix),
        cost=cost,
    )


def _read(x: Array, dtype: str) -> str:
    """Return what rows hold; [0, −inf] and the like are logarithms."""
    if are_distributions(x, dtype):
        return PROBABILITIES
    return LOGS if are_log_probabilities(x, dtype) else NEITHER


def _cannot_be(x: Array, wanted: str, dtype: str) -> bool:
    """Return whether a number is outside of what probabilities, or their logarithms, can be."""
    slack = tolerance(dtype)
    if wanted == LOGS:
        return bool((x > slack).any())
    return bool(((x < -slack) | (x > 1 + slack)).any())


def _mend(wanted: str, of: str = "") -> str:
    if wanted == LOGS:
        return f"give the log_softmax of the logits{of}, or the logarithm of probabilities"
    return f"give the probabilities{of}: the softmax of logits, or exp of log-probabilities"


def _divergence(x: Array, was: str, t: Array, target_was: str) -> float | None:
    """Return the mean KL divergence of the rows in nats; None where the target is unclear."""
    if target_was == NEITHER:
        return None
    p = np.exp(t) if target_was == LOGS else t
    log_q = np.log(x) if was == PROBABILITIES else log_softmax(x)
    return float(_sum(p, np.log(p) - log_q))


def _as_given(x: Array, t: Array, values: Values) -> float:
    """Return what the loss comes to, in nats for each row."""
    if values.loss.takes == PROBABILITIES:
        eps = values.loss.eps
        p, q = np.clip(t, eps, 1), np.clip(x, eps, 1)
        return float(_sum(p, np.log(p) - np.log(q)))
    logs = values.options.get("log_target")
    p, log_p = (np.exp(t), t) if logs else (t, np.log(t))
    found = float(_sum(p, log_p - x))
    return found / values.classes if values.options.get("reduction") == "mean" else found


def _sum(p: Array, difference: Array) -> float:
    return float(np.where(p == 0, 0, p * difference).sum(axis=-1).mean())
