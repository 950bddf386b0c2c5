"""What a classifier of scikit-learn says of rows, and where labels stand among its classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from plogq.errors import refuse
from plogq.tables.arrays import Array

METHODS = {"probs": "predict_proba", "logits": "decision_function"}  # the first is preferred


def outputs_of(estimator: Any, X: Any, kinds: tuple[str, ...] = (*METHODS,)) -> tuple[str, Array]:
    """Return the kind of a classifier's outputs, of those allowed, and the outputs.

    They are (n, C) in the order of its `classes_`; or (n,), the margins of the second of two.
    """
    who = type(estimator).__name__
    kind = next((kind for kind in kinds if hasattr(estimator, METHODS[kind])), None)
    if kind is None:
        expected = f"have {' or '.join(METHODS[kind] for kind in kinds)}"
        refuse("estimator", expected, who, error=AttributeError)
    found = np.asarray(getattr(estimator, METHODS[kind])(X))
    classes = len(estimator.classes_)
    if found.ndim > 2 or (found.shape[1] if found.ndim == 2 else 2) != classes:
        expected = f"have a column for each of {classes} classes"
        refuse(f"{METHODS[kind]} of {who}", expected, f"shape {found.shape}")
    return kind, found


def places_of(labels: Array, classes: Array) -> Array:
    """Return where each label stands in the sorted `classes`, (n,); refuse a label of no class."""
    place: Array = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    strange = np.asarray(classes[place] != labels)
    if strange.any():
        row = int(strange.argmax())
        expected = f"be one of the estimator's {len(classes)} classes, such as {first(classes)}"
        refuse("y", expected, first(labels[row:]), row=row)
    return place


def first(labels: Array) -> str:
    """Return the first label as Python writes it."""
    return repr(labels[:1].tolist()[0])


def check_columns(estimator: Any, X: Any, outputs: Array) -> None:
    """Refuse margins whose columns are not of classes: those of pairs, which may be as many."""
    if outputs.ndim == 2:
        same = np.mean(
            np.asarray(estimator.classes_)[outputs.argmax(axis=1)] == estimator.predict(X)
        )
        if same < LEAST_SAME:
            who = f"decision_function of {type(estimator).__name__}"
            expected = "be highest for the class that predict names, in most rows"
            refuse(who, expected, f'{same:.0%} of rows (take decision_function_shape="ovr")')


LEAST_SAME = 0.5  # of rows; margins of classes name the class of predict but for ties
