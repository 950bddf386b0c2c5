"""A classifier whose probabilities are those of another one, recalibrated."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import check_cv
from sklearn.utils import Bunch, _safe_indexing, get_tags, indexable
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping, process_routing
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, has_fit_parameter

from plogq.adapters.sklearn.outputs import check_columns, first, outputs_of, places_of
from plogq.errors import refuse
from plogq.score import Recalibration
from plogq.tables.arrays import Array


class RecalibratedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]
    """A classifier, and the recalibration that `plogq score` takes of what it says of unseen rows.

    `fit` learns the recalibration from out-of-fold predictions, and then fits the classifier to all
    rows. A fitted classifier, given as `FrozenEstimator(classifier)`, stays as it is: the rows
    given to `fit` must then be others than those that it was fitted to.

    Parameters
    ----------
    estimator
        A classifier with `predict_proba`, or else with `decision_function`, whose margins are taken
        as logits.
    cv
        How rows are held out, as scikit-learn has it: a number of folds, or a splitter. A row that
        is held out more than once counts as one row in the intervals.
    family
        The recalibration to take, by its name in `docs/recalibration.md`. Without it, what each
        costs on held-out rows decides; a calibrated classifier is left alone.

    Attributes
    ----------
    estimator_
        The classifier, fitted to all rows.
    classes_
        The classes, in the order of the columns of `predict_proba`.
    recalibration_
        The `plogq.score.Recalibration`; its `promise` says what it saves on other rows.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.naive_bayes import GaussianNB
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = RecalibratedClassifier(GaussianNB()).fit(X, y)
    >>> found = model.recalibration_
    >>> f"{found.family} saves {found.promise.saved:.2f} {found.promise.unit}s per row"
    'vector saves 0.82 bits per row'
    """

    def __init__(self, estimator: Any, *, cv: Any = 5, family: str | None = None) -> None:
        self.estimator = estimator
        self.cv = cv
        self.family = family

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Return the classifier, fitted to rows and recalibrated.

        Parameters
        ----------
        X
            Rows, as the estimator takes them.
        y
            The class of each row, (n,), of any type.
        sample_weight
            The weight of each row, (n,): of the recalibration, and of the estimator where its `fit`
            takes it.
        **params
            With scikit-learn's metadata routing, what the estimator's `fit` and the splitter ask
            for.
        """
        check_classification_targets(y)
        X, y, sample_weight = indexable(X, y, sample_weight)
        y = column_or_1d(y, warn=True)
        routed = self._routed(sample_weight, params)
        if isinstance(self.estimator, FrozenEstimator):
            self.estimator_ = self.estimator
            self.classes_ = np.asarray(self.estimator.classes_)
            rows = np.arange(len(y))
            kind, outputs = outputs_of(self.estimator, X)
            if kind == "logits":
                check_columns(self.estimator, X, outputs)
        else:
            self.classes_ = np.unique(y)
            kind, outputs, rows = self._held_out(X, y, routed)
            self.estimator_ = clone(self.estimator).fit(X, y, **routed.estimator.fit)
        options: dict[str, Any] = {kind: outputs}
        if sample_weight is not None:
            options["weight"] = np.asarray(sample_weight)[rows]
        if len(np.unique(rows)) < len(rows):
            options["group"] = rows
        labels = places_of(y[rows], self.classes_)
        found = Recalibration.fit(labels, family=self.family, **options)
        self.recalibration_ = replace(found, classes=tuple(str(name) for name in self.classes_))
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def predict_proba(self, X: Any) -> Array:
        """Return the recalibrated probabilities, (n, C), in the order of `classes_`."""
        check_is_fitted(self)
        kind, outputs = outputs_of(self.estimator_, X)
        return self.recalibration_.apply(**{kind: outputs})

    def predict(self, X: Any) -> Array:
        """Return the class of highest recalibrated probability of each row, (n,)."""
        most = self.predict_proba(X).argmax(axis=1)
        found: Array = self.classes_[most]
        return found

    def get_metadata_routing(self) -> MetadataRouter:
        """Return who asks for what beside X and y: the estimator's `fit`, and the splitter."""
        fit, split = MethodMapping(), MethodMapping()
        return (
            MetadataRouter(owner=self)
            .add_self_request(self)
            .add(estimator=self.estimator, method_mapping=fit.add(caller="fit", callee="fit"))
            .add(splitter=self.cv, method_mapping=split.add(caller="fit", callee="split"))
        )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self.estimator).input_tags.sparse
        return tags

    def _routed(self, sample_weight: Any, params: dict[str, Any]) -> Any:
        """Return what `fit` of the estimator and `split` of the splitter are given."""
        if get_config()["enable_metadata_routing"]:
            return process_routing(self, "fit", sample_weight=sample_weight, **params)
        if params:
            expected = "be passed by scikit-learn's metadata routing, which is not enabled"
            refuse(", ".join(params), expected, "arguments of fit", error=TypeError)
        fit = {}
        if sample_weight is not None and has_fit_parameter(self.estimator, "sample_weight"):
            fit = {"sample_weight": sample_weight}
        elif sample_weight is not None:
            who = type(self.estimator).__name__
            said = f"fit of {who} takes no sample_weight: only the recalibration is weighted"
            warnings.warn(said, UserWarning, stacklevel=3)
        return Bunch(estimator=Bunch(fit=fit), splitter=Bunch(split={}))

    def _held_out(self, X: Any, y: Array, routed: Any) -> tuple[str, Array, Array]:
        """Return the kind of the outputs, the outputs of the held-out rows, and their numbers."""
        folds = check_cv(self.cv, y, classifier=True).split(X, y, **routed.splitter.split)
        kind, found, held = "", [], []
        for learn, test in folds:
            absent = np.setdiff1d(self.classes_, y[learn])
            if len(absent):
                expected = "have each class in the rows of all folds but one"
                came = f"{first(absent)} in one fold alone: take fewer folds, or more rows"
                refuse("y", expected, came)
            fit = {
                name: _safe_indexing(value, learn) if _is_by_row(value, y) else value
                for name, value in routed.estimator.fit.items()
            }
            model = clone(self.estimator).fit(_safe_indexing(X, learn), y[learn], **fit)
            unseen = _safe_indexing(X, test)
            kind, outputs = outputs_of(model, unseen)
            if kind == "logits":
                check_columns(model, unseen, outputs)
            found.append(outputs)
            held.append(test)
        rows = np.concatenate(held)
        order = rows.argsort(kind="stable")
        return kind, np.concatenate(found)[order], rows[order]


def _is_by_row(value: Any, y: Array) -> bool:
    """Return whether an argument of `fit` has something for each row."""
    return hasattr(value, "__len__") and not isinstance(value, (str, dict)) and len(value) == len(y)
