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
from plogq.doctor.source.scopes import Assigned

OFF = "too few findings in the work of others to judge it by"
COMPREHENSIONS = (ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)


def find(code: Code) -> Iterator[Finding]:
    """Yield a finding for each log loss of labels that a loop changes."""
    for use in code.losses:
        if use.api.name != "log_loss" or use.target is None or "labels" in use.options:
            continue
        parts = _parts(use.target, code)
        loop = next((each for each in _loops(use.call, code) if parts & _changed(each)), None)
        if loop is not None and "strat" not in code.text(loop.iter).lower():
            yield code.finding(
                use.call,
                confidence="possible",
                because="The labels are those of one part, which may lack a class.",
                fix="give it labels=, the classes of the model",
            )


def _parts(labels: ast.expr, code: Code) -> set[str]:
    """Return the names that say which part of the labels is taken."""
    if isinstance(labels, ast.Name):
        found = code.flow.scopes.definition(labels)
        taken = found.value if isinstance(found, Assigned) else None
        return _parts(taken, code) if isinstance(taken, ast.Subscript) else {labels.id}
    if isinstance(labels, ast.Subscript):
        return {each.id for each in ast.walk(labels) if isinstance(each, ast.Name)}
    return set()


def _loops(call: ast.Call, code: Code) -> Iterator[ast.For | ast.comprehension]:
    """Yield the loops around a call, within one function."""
    for outer in code.flow.scopes.above(call):
        if isinstance(outer, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return
        if isinstance(outer, ast.For):
            yield outer
        elif isinstance(outer, COMPREHENSIONS):
            yield from outer.generators


def _changed(loop: ast.For | ast.comprehension) -> set[str]:
    return {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
