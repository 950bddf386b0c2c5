"""A softmax over one unit is always 1.

## What it does
Looks for a softmax along the axis of a layer's units where there is one unit, and for a softmax
cross-entropy of one unit.

## Why it matters
exp(x) / exp(x) is 1, whatever the model computes: the loss does not change, its gradient is 0, and
nothing is learned.

## Example
```python
import keras

model = keras.Sequential([keras.layers.Dense(1, activation="softmax")])
```

## Use instead
```python
import keras

model = keras.Sequential([keras.layers.Dense(1, activation="sigmoid")])
```

## Fix safety
No fix: the loss has to suit what is chosen, a sigmoid or two units.

## Sources
- https://keras.io/api/layers/activations/
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.values import Chain, Layer, Tensor, Value

FIX = "use a sigmoid and the binary loss, or two units"


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each softmax, or loss that applies one, of one unit."""
    # What a method is called of may be a model whose layers were added one by one.
    of_methods = [each.func.value for each in code.calls if isinstance(each.func, ast.Attribute)]
    made = (_of_one_unit(code.value(each)) for each in [*code.calls, *of_methods])
    for call in dict.fromkeys(each for each in made if each is not None):
        yield code.finding(
            call,
            confidence="certain",
            because="exp(x) / exp(x) is 1 for every x.",
            fix=FIX,
        )
    for use in code.losses:
        tensor = use.tensor
        applies = use.loss.takes == "logits" and use.loss.of == "softmax"
        if applies and tensor is not None and (tensor.what, tensor.units) == ("scores", 1):
            yield code.finding(
                use.node,
                also=(tensor.made,),
                confidence="certain",
                because=f"{use.name} applies a softmax, and there is one unit.",
                fix=FIX,
            )


def _of_one_unit(value: Value) -> ast.Call | None:
    """Return the call that makes a softmax of one unit along the axis of the units."""
    match value:
        case Layer(out="softmax", units=1, axis=-1) | Tensor(what="softmax", units=1, axis=-1):
            return value.made
        case Chain(layers=(*_, Layer(units=1), Layer(out="softmax", axis=-1) as last)):
            return last.made
    return None
