"""`RecalibratedClassifier`: scikit-learn's own checks, and what it promises."""

import numpy as np
import pandas as pd
import pytest

pytest.importorskip("sklearn")

from sklearn import config_context
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GroupKFold, RepeatedStratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

from plogq.score import Recalibration
from plogq.sklearn import RecalibratedClassifier

# A share of the class frequencies is mixed in by how few rows there are: a row of weight 2 is one.
BY_ROWS = {
    f"check_sample_weight_equivalence_on_{kind}_data": "the mixture counts rows"
    for kind in ("dense", "sparse")
}


# scikit-learn rounds labels of NaN before it refuses them.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
@parametrize_with_checks(
    [
        RecalibratedClassifier(LogisticRegression(C=1), cv=3),
        RecalibratedClassifier(LinearSVC(random_state=0), cv=3),
    ],
    expected_failed_checks=lambda each: BY_ROWS if isinstance(each.estimator, LinearSVC) else {},
)
def test_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


X, Y = load_breast_cancer(return_X_y=True)
NAMES = np.array(["malignant", "benign"])[Y]


def cost(model, X, y):
    q = model.predict_proba(X)[np.arange(len(y)), np.searchsorted(model.classes_, y)]
    return -np.log2(q).mean()


@pytest.mark.parametrize("family", [None, "identity", "temperature+base", "isotonic"])
def test_it_is_the_recalibration_of_out_of_fold_predictions(family):
    model = RecalibratedClassifier(GaussianNB(), family=family).fit(X, Y)
    unseen = cross_val_predict(GaussianNB(), X, Y, cv=5, method="predict_proba")
    expected = Recalibration.fit(Y, unseen, family=family)
    assert model.recalibration_ == expected
    whole = GaussianNB().fit(X, Y).predict_proba(X)
    assert np.array_equal(model.predict_proba(X), expected.apply(probs=whole))
    assert family in (None, model.recalibration_.family)


def test_fresh_rows_cost_less():
    learn, fresh = slice(None, None, 2), slice(1, None, 2)
    model = RecalibratedClassifier(GaussianNB()).fit(X[learn], Y[learn])
    as_it_is = GaussianNB().fit(X[learn], Y[learn])
    with np.errstate(divide="ignore"):
        assert cost(model, X[fresh], Y[fresh]) < cost(as_it_is, X[fresh], Y[fresh]) / 2


@pytest.mark.parametrize(
    "y", [NAMES, NAMES.astype(object), Y.astype(bool), Y + 0.0, pd.Series(NAMES, dtype="category")]
)
def test_classes_of_any_type(y):
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    model = RecalibratedClassifier(GaussianNB()).fit(frame, y)
    assert model.recalibration_.classes == tuple(map(str, np.unique(np.asarray(y))))
    assert np.mean(model.predict(frame) == y) > 0.9
    assert [*model.feature_names_in_] == [*frame.columns]


@pytest.mark.parametrize("load", [load_breast_cancer, load_iris])
def test_margins_are_logits(load):
    X, y = load(return_X_y=True)
    base = make_pipeline(StandardScaler(), LinearSVC(random_state=0))
    model = RecalibratedClassifier(base).fit(X, y)
    unseen = cross_val_predict(base, X, y, cv=5, method="decision_function")
    expected = Recalibration.fit(y, logits=unseen)
    assert model.recalibration_ == expected
    assert np.array_equal(
        model.predict_proba(X), expected.apply(logits=base.fit(X, y).decision_function(X))
    )


def test_a_frozen_classifier_is_not_fitted():
    base = GaussianNB().fit(X[:300], NAMES[:300])
    model = RecalibratedClassifier(FrozenEstimator(base)).fit(X[300:], NAMES[300:])
    expected = Recalibration.fit(Y[300:] == 0, base.predict_proba(X[300:]))
    assert model.recalibration_.parameters == expected.parameters
    one = NAMES == "benign"  # fewer classes than the classifier knows
    model.fit(X[one], NAMES[one])
    assert model.predict_proba(X).shape == (len(X), 2)


def halves(middle, end):
    one, other = np.arange(middle), np.arange(middle, end)
    return [(one, other), (other, one)]


def test_weights_are_of_the_estimator_and_of_the_recalibration():
    weight = np.random.default_rng(0).integers(1, 4, len(Y))
    x = StandardScaler().fit_transform(X)
    base = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000)
    model = RecalibratedClassifier(base, cv=halves(300, len(Y)), family="temperature")
    weighted = model.fit(x, Y, sample_weight=weight).predict_proba(x)
    row = np.repeat(np.arange(len(Y)), weight)
    model.set_params(cv=halves(np.searchsorted(row, 300), len(row)))
    assert np.allclose(model.fit(x[row], Y[row]).predict_proba(x), weighted, rtol=1e-6)
    with pytest.warns(UserWarning, match="only the recalibration is weighted"):
        RecalibratedClassifier(KNeighborsClassifier()).fit(X, Y, sample_weight=weight)


def test_weights_and_groups_by_metadata_routing():
    weight, groups = np.arange(1.0, len(Y) + 1), np.arange(len(Y)) // 4
    with config_context(enable_metadata_routing=True):
        base = GaussianNB().set_fit_request(sample_weight=True)
        model = RecalibratedClassifier(base, cv=GroupKFold(4))
        routed = model.fit(X, Y, sample_weight=weight, groups=groups)
    folds = [*GroupKFold(4).split(X, Y, groups)]
    plain = RecalibratedClassifier(GaussianNB(), cv=folds).fit(X, Y, sample_weight=weight)
    assert np.array_equal(routed.predict_proba(X), plain.predict_proba(X))


def test_a_row_that_is_held_out_often_is_one_row_of_the_intervals():
    once = RecalibratedClassifier(GaussianNB()).fit(X, Y).recalibration_.promise.interval
    often = RepeatedStratifiedKFold(n_splits=5, n_repeats=8, random_state=0)
    often = RecalibratedClassifier(GaussianNB(), cv=often).fit(X, Y).recalibration_.promise.interval
    assert 0.6 < (often[1] - often[0]) / (once[1] - once[0]) < 1.4


@pytest.mark.parametrize(
    ("model", "y", "message"),
    [
        (LinearRegression(), Y, "must have predict_proba or decision_function; got LinearReg"),
        (FrozenEstimator(GaussianNB().fit(X, NAMES)), Y, "2 classes, such as 'benign'; got 0"),
        (GaussianNB(), np.where(np.arange(len(Y)) == 7, 2, Y), "got 2 in one fold alone"),
    ],
)
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_what_is_refused(model, y, message):
    with pytest.raises((ValueError, AttributeError), match=message):
        RecalibratedClassifier(model).fit(X, y)


def test_margins_of_pairs_are_refused():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match='take decision_function_shape="ovr"'):
        RecalibratedClassifier(SVC(decision_function_shape="ovo")).fit(X, y)
    X, y = load_digits(return_X_y=True)
    with pytest.raises(ValueError, match=r"a column for each of 10 classes; got shape \(360, 45\)"):
        RecalibratedClassifier(SVC(decision_function_shape="ovo")).fit(X, y)
    with pytest.raises(TypeError, match="groups must be passed by scikit-learn's metadata"):
        RecalibratedClassifier(SVC()).fit(X, y, groups=y)
