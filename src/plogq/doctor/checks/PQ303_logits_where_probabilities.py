"""Logits, or probabilities, go into a loss that takes something else.

## What it does
Looks for the scores of a linear layer, or for probabilities, in a loss that takes
log-probabilities (`nll_loss`), and for scores or log-probabilities in a loss that takes
probabilities (`binary_cross_entropy`, the losses of Keras without `from_logits=True`).

## Why it matters
`nll_loss` only picks numbers: of probabilities it gives a loss between −1 and 0, whose gradient
does not grow where the model is wrong. Keras divides scores by their sum and clips them, so that a
negative score counts as a probability of 0: its loss is 16.118 nats, and has no gradient.

## Example
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.nll_loss(F.softmax(model(x), dim=1), y)
```

## Use instead
```python
import torch.nn.functional as F

def step(model, x, y):
    return F.nll_loss(F.log_softmax(model(x), dim=1), y)
```

## Fix safety
No fix: whether the model or the loss is to change is for its author to say.

## Sources
- https://docs.pytorch.org/docs/stable/generated/torch.nn.NLLLoss.html
- https://keras.io/api/losses/probabilistic_losses/
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code

NAMES = {
    "softmax": "probabilities",
    "sigmoid": "probabilities",
    "scores": "what a linear layer gives without an activation: logits",
    "log_softmax": "log-probabilities",
    "log_sigmoid": "log-probabilities",
}
WRONG = {
    "log-probabilities": ("softmax", "sigmoid", "scores"),
    "probabilities": ("scores", "log_softmax", "log_sigmoid"),
}
FIXES = {
    ("torch", "log-probabilities"): "use cross_entropy with logits, or nll_loss with log_softmax",
    ("torch", "probabilities"): "use binary_cross_entropy_with_logits with logits",
    ("keras", "probabilities"): "give the loss from_logits=True, or the last layer its activation",
}


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each loss whose outputs are known to be of another kind."""
    for use in code.losses:
        tensor = use.tensor
        if use.loss.of == "distributions" or tensor is None:
            continue
        if tensor.what not in WRONG.get(use.loss.takes, ()):
            continue
        fix = FIXES.get((use.api.framework, use.loss.takes), f"give it {use.loss.takes}")
        if use.api.framework == "keras" and tensor.what.startswith("log_"):
            fix = "give the loss probabilities, without the logarithm"
        yield code.finding(
            use.node,
            also=(tensor.made, use.made),
            confidence="certain",
            because=f"{use.name} takes {use.loss.takes}; these are {NAMES[tensor.what]}.",
            fix=fix,
        )
