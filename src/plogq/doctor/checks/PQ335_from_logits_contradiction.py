"""A loss and a metric of one model take different outputs.

## What it does
Looks at models of Keras that are compiled with a loss of logits (`from_logits=True`), and with
metrics that take probabilities: accuracies of two classes at the threshold 0.5, AUC, precision,
recall, and cross-entropies without `from_logits=True`.

## Why it matters
The metric is wrong, and says nothing: a logit of 0.3 is a probability of 0.574, and counts as a no
at the threshold 0.5. What is monitored, such as the epoch to stop at, is then another thing than
what is trained.

## Example
```python
import keras

def compiled(model):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss=loss, metrics=["accuracy"])
```

## Use instead
```python
import keras

def compiled(model):
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(loss=loss, metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)])
```

## Fix safety
No fix: an activation in the model would mend it, too.

## Sources
- https://keras.io/api/metrics/accuracy_metrics/#binaryaccuracy-class
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code
from plogq.doctor.source.scopes import argument
from plogq.doctor.source.values import Criterion

# Metrics that compare with thresholds of probabilities, and the option that says otherwise.
THRESHOLDS = {
    "accuracy": "",
    "acc": "",
    "binary_accuracy": "",
    "BinaryAccuracy": "threshold",
    "AUC": "from_logits",
    "Precision": "thresholds",
    "Recall": "thresholds",
}
CROSS_ENTROPIES = ("BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy")


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each metric of probabilities beside a loss of logits."""
    for call in code.calls:
        if not isinstance(call.func, ast.Attribute) or call.func.attr != "compile":
            continue
        loss = code.value(argument(call, 1, "loss"))
        metrics = argument(call, None, "metrics")
        if not isinstance(loss, Criterion) or not isinstance(metrics, ast.List | ast.Tuple):
            continue
        given = loss.options.get("from_logits")
        if not isinstance(given, ast.Constant) or given.value is not True:
            continue
        for metric in metrics.elts:
            if _takes_probabilities(metric, loss.api.loss.of == "sigmoid", code):
                yield code.finding(
                    metric,
                    also=(loss.made,),
                    confidence="certain",
                    because="The loss takes logits, and this metric probabilities.",
                    fix="give the metric threshold=0.0 or from_logits=True, or the model its "
                    "activation",
                )


def _takes_probabilities(metric: ast.expr, binary: bool, code: Code) -> bool:
    if isinstance(metric, ast.Constant):
        return binary and str(metric.value) in THRESHOLDS
    if not isinstance(metric, ast.Call):
        return False
    module, _, name = (code.flow.qualified(metric.func) or "").rpartition(".")
    options = {each.arg for each in metric.keywords}
    if module != "keras.metrics" or metric.args:
        return False
    if name in CROSS_ENTROPIES:
        return "from_logits" not in options
    return binary and name in THRESHOLDS and THRESHOLDS[name] not in options
