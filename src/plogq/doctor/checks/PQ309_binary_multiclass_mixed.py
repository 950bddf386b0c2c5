"""A loss of independent yes-or-no labels is used for classes that exclude each other.

## What it does
Looks for the result of a softmax over more than two classes, or of an unknown number, in a binary
cross-entropy, and for Keras models that are compiled so.

## Why it matters
The binary loss counts every class twice, as p and as 1 − p, and Keras and PyTorch divide by the
number of classes: a model of 10 classes that knows nothing has a loss of 0.325 nats and not of
2.303. It looks good from the start.

## Example
```python
import keras

model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
model.compile(loss="binary_crossentropy")
```

## Use instead
```python
import keras

model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
model.compile(loss="categorical_crossentropy")
```

## Fix safety
No fix: where an example may have several labels, it is the softmax that is wrong.

## Sources
- https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class
"""

from __future__ import annotations

from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each binary loss of the classes of a softmax."""
    for use in code.losses:
        tensor = use.tensor
        if use.loss.takes != "probabilities" or use.loss.of != "sigmoid" or tensor is None:
            continue
        if tensor.what != "softmax" or tensor.units in (1, 2):
            continue
        of = "" if tensor.units is None else f" of {tensor.units:,} classes"
        yield code.finding(
            use.node,
            also=(tensor.made, use.made),
            confidence="likely" if tensor.units is None else "certain",
            because=f"A softmax{of} makes them exclude each other; {use.name} takes each apart.",
            fix="use the cross-entropy of classes, or a sigmoid where several labels may hold",
        )
