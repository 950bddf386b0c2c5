"""The log loss of a part of the data does not say which classes there are.

## What it does
Looks for scikit-learn's `log_loss` of labels that change in a loop, such as folds or groups,
without `labels=`. Stratified folds have all classes, and are passed over.

## Why it matters
Without it the classes are those of the labels at hand. A part that lacks a class is refused in the
middle of the run; one that has a single class is refused, too.

## Example
```python
from sklearn.metrics import log_loss

def by_site(model, parts):
    return [log_loss(y, model.predict_proba(x)) for x, y in parts]
```

## Use instead
```python
from sklearn.metrics import log_loss

def by_site(model, parts):
    return [log_loss(y, model.predict_proba(x), labels=model.classes_) for x, y in parts]
```

## Fix safety
No fix: the classes are the model's, which may have any name.

## Sources
- https://scikit-learn.org/stable/modules/generated/sklearn.metrics.log_loss.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from plogq.doctor.finding import Finding
from plogq.doctor.source.code import Code

LOOPS = (ast.For, ast.AsyncFor, ast.comprehension, ast.ListComp, ast.GeneratorExp, ast.SetComp,
         ast.DictComp)  # fmt: skip


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each log loss of labels that a loop changes."""
    for use in code.losses:
        if use.api.name != "log_loss" or use.target is None or "labels" in use.options:
            continue
        names = {each.id for each in ast.walk(use.target) if isinstance(each, ast.Name)}
        loop = _loop(use.call, names, code)
        if loop is not None and "strat" not in code.text(loop).lower():
            yield code.finding(
                use.call,
                confidence="possible",
                because="The labels are those of one part, which may lack a class.",
                fix="give it labels=, the classes of the model",
            )


def _loop(call: ast.Call, names: set[str], code: Code) -> ast.AST | None:
    """Return the loop around a call that changes one of the names, within one function."""
    for outer in code.flow.scopes.above(call):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return None
        if isinstance(outer, LOOPS) and names & code.flow.scopes.bound(outer):
            return outer
    return None
