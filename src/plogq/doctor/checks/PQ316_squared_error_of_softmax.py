"""A classifier is trained on the squared error of its probabilities.

## What it does
Looks for models of Keras that end in a softmax and are compiled with the mean squared error, and
for the squared error of a softmax and one-hot labels where gradients are computed.

## Why it matters
Where a model is sure and wrong, the squared error of its probability has almost no gradient: at
p = 0.001 of the right one of two classes it is 0.002 for the logit, and that of the cross-entropy
is 0.999. The more wrong, the slower it learns.

## Example
```python
import keras

model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
model.compile(loss="mse")
```

## Use instead
```python
import keras

model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
model.compile(loss="categorical_crossentropy")
```

## Fix safety
No fix: the loss changes.

## Sources
- https://proceedings.mlr.press/v9/glorot10a.html
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.losses import LossUse
from plogq.doctor.source.values import Tensor

# The same number is a fine measure of predictions, the Brier score.
MEASURES = re.compile(r"brier|metric|eval|valid|test|score|calibrat", re.IGNORECASE)


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each squared error that trains a softmax."""
    for use in code.losses:
        tensor = use.tensor
        if use.loss.takes != "numbers" or tensor is None or tensor.what != "softmax":
            continue
        target = use.target_value
        one_hot = isinstance(target, Tensor) and target.what == "one_hot"
        if use.outputs is not None and (not one_hot or _measures(use, code)):
            continue
        yield code.finding(
            use.node,
            also=(tensor.made, use.made),
            confidence="likely",
            because=f"{use.name} is trained on the probabilities of a softmax.",
            fix="use the cross-entropy",
        )


def _measures(use: LossUse, code: Code) -> bool:
    """Return whether the error only judges: no gradient is kept, or a name says so."""
    for outer in code.flow.scopes.above(use.call):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return bool(MEASURES.search(outer.name)) or "no_grad" in ast.dump(outer)
        if isinstance(outer, ast.With) and "no_grad" in ast.dump(outer.items[0]):
            return True
        if isinstance(outer, ast.Assign) and MEASURES.search(ast.unparse(outer.targets[0])):
            return True
    return False
