"""score(y_true, probs), in the order of scikit-learn's metrics; what is in another is refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch

from plogq.compare import compare
from plogq.score import TableError, score

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.6, 0.3, 0.1]])
Y = np.array([0, 1, 2])
COST = -np.log([0.7, 0.8, 0.1]).mean()
ABC = ["a", "b", "c"]


def cost(*arrays, **options):
    return score(*arrays, unit="nat", bootstrap=0, **options).cross_entropy


def refused(*arrays, said, **options):
    with pytest.raises(TableError) as caught:
        score(*arrays, bootstrap=0, **options)
    message = str(caught.value)
    assert said in message, message
    assert "\n" not in message


def test_labels_come_first():
    assert cost(Y, P) == pytest.approx(COST)
    assert cost(Y.tolist(), P.tolist()) == cost(Y, P)
    assert cost(tuple(Y), probs=P) == cost(Y, P)
    assert cost(torch.tensor(Y), torch.tensor(P, requires_grad=True)) == cost(Y, P)
    assert cost(Y, logits=np.log(P)) == pytest.approx(COST)
    assert cost(Y, logprobs=np.log(P)) == pytest.approx(COST)
    assert cost(np.eye(3), P) == cost(Y, P)
    assert cost(ABC, P, classes=np.array(ABC)) == cost(Y, P)


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_column_is_of_class_1(shape):
    p, y = np.array([0.9, 0.2, 0.6]), np.array([1, 0, 0])
    wanted = -np.log([0.9, 0.8, 0.4]).mean()
    assert cost(y.reshape(shape), p.reshape(shape)) == pytest.approx(wanted)
    z = np.array([2.0, 1.0, -1.0]).reshape(shape)
    assert cost(y.reshape(shape), logits=z) == pytest.approx(0.5844843, abs=1e-6)
    assert cost(np.zeros(shape, int), logits=z) == pytest.approx(1.2511510, abs=1e-6)


def test_a_frame_names_its_classes():
    labels = pd.Series(ABC, index=[7, 8, 9])
    for frame in (pd.DataFrame(P, columns=ABC), pl.DataFrame(P, schema=ABC)):
        assert cost(labels, frame) == cost(Y, P)
        assert cost(labels, frame[["c", "a", "b"]]) == pytest.approx(COST)
        assert cost({"labels": labels, "probs": frame}) == cost(Y, P)
    assert cost(Y, pd.DataFrame(P)) == cost(Y, P)
    refused(["a", "b", "d"], pd.DataFrame(P, columns=ABC), said="got 'd' (first at row 2)")


def test_a_frame_of_labels_is_a_column_for_each_class():
    dummies = pd.get_dummies(pd.Series(ABC))
    for frame in (pd.DataFrame(P, columns=ABC), pd.DataFrame(P[:, ::-1], columns=ABC[::-1])):
        assert cost(dummies, frame) == pytest.approx(COST)
        assert cost(dummies[["b", "c", "a"]], frame) == pytest.approx(COST)
    other = dummies.rename(columns={"c": "d"})
    refused(other, pd.DataFrame(P, columns=ABC), said="one for each class, a, b, c")


def test_labels_that_are_left_out():
    assert cost([0, 1, -100], P, ignore=-100) == cost(Y[:2], P[:2])
    assert cost([0.0, 1.0, np.nan], P, ignore=[None]) == cost(Y[:2], P[:2])
    refused([0, 1, -100], P, said="got -100 (first at row 2)")


def test_bfloat16_probabilities_are_rounded_and_said_to_be():
    result = score(Y, torch.tensor(P).bfloat16(), unit="nat", bootstrap=0)
    halves = torch.tensor(P).bfloat16().double().numpy()
    divided = halves / halves.sum(axis=1, keepdims=True)
    assert result.cross_entropy == pytest.approx(-np.log(divided[[0, 1, 2], Y]).mean(), rel=1e-2)
    assert cost(Y, torch.tensor(P).half()) == pytest.approx(COST, rel=1e-3)


def test_rows_of_the_same_names_in_another_order():
    frame = pd.DataFrame(P, columns=ABC)
    refused(pd.Series(ABC, index=[2, 1, 0]), frame, said="the same index in another order")
    assert cost(pd.Series(ABC, index=[2, 1, 0]).reset_index(drop=True), frame) == cost(Y, P)
    assert cost(pd.Series(ABC, index=[0, "x", None]), frame) == cost(Y, P)  # other rows' names


def test_weights_groups_and_ids_may_be_arrays():
    result = score(Y, P, weight=[1.0, 2.0, 0.0], id=["x", "y", "z"], group=Y, unit="nat")
    assert result.cross_entropy == pytest.approx(-np.log([0.7, 0.8, 0.8]).mean())
    assert result.surprises[0].id == "x"
    refused(Y, P, weight="w", said="weight must be an array too")
    refused(Y, P, slices=["site"], said="no column 'site'; its columns are labels, probs")
    refused(Y, weight=[1, 1, 1], said="or logits=, logprobs= or probs=; got none")


@pytest.mark.parametrize(
    ("labels", "probs"),
    [
        (P, Y),
        (P, np.eye(3)),
        (P, np.eye(3, dtype=int)),
        (P, ABC),
        ([0.9, 0.2, 0.6], [1, 0, 0]),
        ([0.9, 0.2, 0.6], [1.0, 0.0, 0.0]),
        ([0.9, 0.2, 0.6], [True, False, False]),
        (Y, [0, 1, 1]),  # predicted classes
        (Y, pd.DataFrame(P > 0.5)),
    ],
)
def test_labels_in_the_place_of_probabilities(labels, probs):
    refused(labels, probs, said="probabilities, (N, C) or (N,) of class 1, and come after")


def test_what_does_not_fit_says_how_to_turn_it():
    refused(Y, P[:, :2].T, said="(transpose 'probs'?); got labels (3,), probs (2, 3)")
    refused(Y, P[:2, :2], said="a row for each label and the classes last; got labels (3,)")
    refused(Y, np.stack([P, P]), said="classes last; got labels (3,), probs (2, 3, 3)")
    turned = np.stack([P[:, :2]] * 2).swapaxes(1, 2)  # (N, C, T)
    refused(np.stack([Y, Y]), turned, said="(np.moveaxis(probs, 1, -1)?)")
    refused(Y, P[:, :0], said="at least one class; got shape (3, 0)")
    refused([], [], said="no rows")
    refused(Y, 0.5, said="'probs' must have shape (rows,)")
    refused([0], [[0.5, 0.5], [1.0]], said="'probs' must be an array; got list")


def test_what_are_no_labels():
    refused({"labels": Y}, P, said="source must be an array of labels")
    refused("table.csv", P, said="source must be an array of labels")
    refused(Y, P, logits=P, said="one array: the second argument, or logits=")
    refused(Y, P, probs=P, said="probs must be given once")


def test_what_is_no_table_is_refused_with_both_ways():
    for source in (P, [0, 1], pl.Series([0, 1])):
        with pytest.raises(TypeError, match=r"frame, .* or a mapping .*score\(y_true, probs\)"):
            score(source)


LOG = """{"id": "a", "choices": [{"index": 0, "text": "a",
  "logprobs": {"tokens": ["a"], "token_logprobs": [-1.0]}}]}"""


def test_single_row():
    assert cost([1], [[0.25, 0.75]]) == pytest.approx(-np.log(0.75))
    assert cost([1], [0.75]) == pytest.approx(-np.log(0.75))


def test_pairs_of_arrays_are_compared(tmp_path):
    other = P[:, ::-1]
    by_hand = -np.log([0.7, 0.8, 0.1]).mean() + np.log([0.1, 0.8, 0.6]).mean()
    result = compare((Y, P), (Y, other), unit="nat", bootstrap=0)
    assert result.difference == pytest.approx(by_hand)
    named = {"classes": np.array(ABC), "unit": "nat", "bootstrap": 0}
    assert compare((ABC, P), (ABC, other), **named).difference == result.difference
    with pytest.raises(TableError, match="come after the labels"):
        compare((P, Y), (Y, P))
    log = tmp_path / "t.jsonl"
    log.write_text(LOG)
    with pytest.raises(TableError, match=r"tokens in .*t\.jsonl and predictions in memory"):
        compare((Y, P), log)
