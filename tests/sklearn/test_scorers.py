"""Scorers: exact in bits, whatever classes a fold has."""

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, cross_validate
from sklearn.naive_bayes import GaussianNB

from plogq.score import score
from plogq.sklearn import scorers

X, Y = load_iris(return_X_y=True)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
BITS = scorers["neg_log_loss_bits"]


class Says(ClassifierMixin, BaseEstimator):
    """A classifier that says what X holds."""

    classes_ = np.array([0, 1, 2])

    def fit(self, X, y):
        return self

    def predict_proba(self, X):
        return X


@pytest.mark.parametrize("y", [Y, NAMES, NAMES.astype(object)])
def test_in_cross_validation_as_the_log_loss_of_scikit_learn(y):
    found = cross_validate(GaussianNB(), X, y, scoring=scorers | {"peer": "neg_log_loss"})
    assert np.allclose(found["test_neg_log_loss_bits"], found["test_peer"] / np.log(2), rtol=1e-12)
    gain, bits = found["test_information_gain"], found["test_neg_log_loss_bits"]
    assert np.allclose(gain, np.log2(3) + bits, rtol=1e-12)
    assert (found["test_neg_miscalibration"] <= 0).all()


def test_a_search_takes_the_lowest_loss():
    grid = {"C": [0.01, 1.0, 100.0]}
    model = LogisticRegression(max_iter=5000)
    ours = GridSearchCV(model, grid, scoring=BITS).fit(X, NAMES)
    theirs = GridSearchCV(model, grid, scoring="neg_log_loss").fit(X, NAMES)
    assert ours.best_params_ == theirs.best_params_
    assert np.isclose(ours.best_score_, theirs.best_score_ / np.log(2), rtol=1e-12)


def test_nothing_is_clipped():
    q = np.array([[1e-300, 1.0, 0.0]])
    assert BITS(Says(), q, [0]) == pytest.approx(-300 * np.log2(10), rel=1e-12)
    assert BITS(Says(), q, [2]) == -np.inf
    assert log_loss([0], q, labels=[0, 1, 2]) < 40  # scikit-learn's clips


def test_rows_that_lack_a_class():
    """The class that a prediction is of comes from the model, and not from the fold's labels."""
    model = GaussianNB().fit(X, NAMES)
    some = NAMES != "versicolor"
    q = model.predict_proba(X[some])[np.arange(100), np.repeat([0, 2], 50)]
    assert BITS(model, X[some], NAMES[some]) == pytest.approx(np.log2(q).mean(), rel=1e-12)


def test_a_model_that_lacks_a_class_is_infinitely_surprised():
    """Folds in the order of the classes: no model has seen the class that it is tested on."""
    found = cross_val_score(GaussianNB(), X, NAMES, scoring=BITS, cv=KFold(3))
    assert (found == -np.inf).all()


def test_soft_labels():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet([1, 1, 1], 50), rng.dirichlet([1, 1, 1], 50)
    assert BITS(Says(), q, p) == pytest.approx((p * np.log2(q)).sum(axis=1).mean(), rel=1e-12)
    found = cross_val_score(Says(), q, p, scoring=BITS, cv=2)
    expected = (p * np.log2(q)).sum(axis=1).reshape(2, 25).mean(axis=1)
    assert np.allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("name", scorers)
def test_the_figure_is_that_of_the_score(name):
    q = np.random.default_rng(1).dirichlet([1, 1, 1], 400)
    weight = np.random.default_rng(2).random(400)
    y = np.random.default_rng(3).integers(0, 3, 400)
    result = score(y, q, weight=weight)
    figure = {
        "neg_log_loss_bits": -result.cross_entropy,
        "information_gain": result.information_gain,
        "neg_miscalibration": -result.miscalibration,
    }[name]
    assert scorers[name](Says(), q, y, sample_weight=weight) == figure


def test_weights_by_metadata_routing():
    weight = np.arange(1.0, 151)
    with config_context(enable_metadata_routing=True):
        scorer = clone(BITS).set_score_request(sample_weight=True)
        params = {"sample_weight": weight}
        model = GaussianNB().set_fit_request(sample_weight=False)
        found = cross_val_score(model, X, Y, scoring=scorer, params=params)
    assert not np.allclose(found, cross_val_score(model, X, Y, scoring=BITS), rtol=1e-3)


def test_it_is_copied_and_printed():
    assert pickle.loads(pickle.dumps(BITS)).get_params() == BITS.get_params()
    assert repr(BITS) == "Scorer(figure='cross_entropy', sign=-1)"


def test_a_model_without_probabilities_is_refused():
    from sklearn.svm import LinearSVC

    with pytest.raises(AttributeError, match="estimator must have predict_proba; got LinearSVC"):
        BITS(LinearSVC().fit(X, Y), X, Y)
