"""Labels and columns: by name, never by a guess."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from plogq.score import TableError, score

Q = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.25, 0.25, 0.5]])


def wide(names, **columns):
    return pa.table({f"prob_{name}": Q[:, j] for j, name in enumerate(names)} | columns)


def bits(q):
    return pytest.approx(-np.mean(np.log2(q)), rel=1e-15)


def test_columns_are_named_never_taken_as_sorted():
    result = score(wide(["dog", "cat", "ant"], label=["dog", "cat", "ant"]))
    assert result.classes == ("dog", "cat", "ant")
    assert result.cross_entropy == bits([0.7, 0.8, 0.5])


@pytest.mark.parametrize(
    "label",
    [
        pa.array(["dog", "ant", "cat"]),
        pa.array(["dog", "ant", "cat"], pa.large_string()),
        pa.array(["dog", "ant", "cat"]).dictionary_encode(),
        pa.array([0, 2, 1], pa.uint8()),
        pa.array([0, 2, 1], pa.int32()),
    ],
    ids=["string", "large_string", "dictionary", "uint8", "int32"],
)
def test_names_and_indices(label):
    result = score(wide(["dog", "cat", "ant"], label=label))
    assert result.cross_entropy == bits([0.7, 0.1, 0.25])


def test_integers_are_names_where_the_names_are_integers():
    result = score(wide(["7", "3", "5"], label=[7, 3, 5]))
    assert result.cross_entropy == bits([0.7, 0.8, 0.5])
    with pytest.raises(TableError, match=r"column 'label' must be .* name of 7, 3, 5; got 0"):
        score(wide(["7", "3", "5"], label=[7, 3, 0]))


def test_integers_are_names_counted_from_one_too():
    result = score(wide(["1", "2", "3"], label=[1, 2, 3]))
    assert result.cross_entropy == bits([0.7, 0.8, 0.5])


def test_booleans_are_0_and_1():
    table = pa.table({"probs": [0.25, 0.5], "label": [True, False]})
    assert score(table).cross_entropy == bits([0.25, 0.5])


@pytest.mark.parametrize("names", [["True", "False"], ["False", "True"], ["false", "TRUE"]])
def test_booleans_are_the_classes_of_these_names(names, tmp_path):
    q = {"prob_" + name: [0.75, 0.25] if name.lower() == "true" else [0.25, 0.75] for name in names}
    table = pa.table(q | {"label": [True, False]})
    assert score(table).cross_entropy == bits([0.75, 0.75])
    csv.write_csv(table, tmp_path / "t.csv")
    assert score(tmp_path / "t.csv").cross_entropy == bits([0.75, 0.75])


def test_booleans_among_other_names():
    table = pa.table({"prob_no": [0.25], "prob_yes": [0.75], "label": [True]})
    with pytest.raises(TableError, match=r"one of the classes no, yes: none of them is true or"):
        score(table)
    table = pa.table({"prob_1": [0.75, 0.5], "prob_0": [0.25, 0.5], "label": [True, False]})
    assert score(table).cross_entropy == bits([0.75, 0.5])
    binary = pa.table({"probs": [0.75, 0.5], "label": [True, False]})
    assert score(binary, classes=["no", "yes"]).cross_entropy == bits([0.75, 0.5])


@pytest.mark.parametrize("names", [["01", "1", "2"], ["1", "2", "cat"], ["01", "02", "03"]])
def test_integers_that_could_be_a_name_or_an_index(names):
    with pytest.raises(TableError, match=r"'label' must be a string: .* an index or a name; got 1"):
        score(wide(names, label=[1, 1, 1]))
    assert score(wide(names, label=names)).cross_entropy == bits([0.7, 0.8, 0.5])


def test_csv_labels_that_look_like_integers_at_first(tmp_path):
    path = tmp_path / "t.csv"
    rows = 1_000_000
    first = "0.75,0.25,7\n" * rows
    assert len(first) > 8 << 20
    path.write_text("prob_7,prob_cat,label\n" + first + "0.75,0.25,cat\n" * rows)
    assert score(path).cross_entropy == pytest.approx(-(np.log2(0.75) - 2) / 2, rel=1e-14)
    path.write_text("prob_01,prob_1,label\n0.75,0.25,1\n0.75,0.25,01\n")
    assert score(path).cross_entropy == bits([0.25, 0.75])


def test_class_names_may_hold_any_character():
    names = ["a,b", "ü 日本", "x\ny", ""][:3]
    result = score(wide(names, label=names))
    assert list(result.classes) == names
    assert result.cross_entropy == bits([0.7, 0.8, 0.5])


def test_names_given_for_a_list_column():
    table = {"probs": Q, "labels": np.array(["c", "b", "a"])}
    assert score(table, classes=["c", "b", "a"]).cross_entropy == bits([0.7, 0.8, 0.5])


@pytest.mark.parametrize("kind", ["logits", "logprobs", "probs"])
def test_found_by_prefix_in_the_order_of_the_table(kind):
    log = np.log(Q)
    x = Q if kind == "probs" else log
    prefix = kind[:-1]
    table = pa.table(
        {f"{prefix}_{c}": x[:, j] for j, c in enumerate("zyx")} | {"label": list("zyx")}
    )
    result = score(table)
    assert result.kind == kind
    assert result.source.columns == {kind: f"{prefix}_*", "label": "label"}
    assert result.cross_entropy == pytest.approx(-np.mean(np.log2([0.7, 0.8, 0.5])), rel=1e-14)


def test_other_columns_are_not_predictions_because_of_their_prefix():
    table = wide(["a", "b", "c"], label=["a", "b", "c"], prob_weight=[1.0, 1.0, 1.0])
    assert score(table, weight="prob_weight").classes == ("a", "b", "c")


def test_a_named_prefix():
    table = pa.table({f"p.{c}": Q[:, j] for j, c in enumerate("abc")} | {"y": list("abc")})
    result = score(table, probs="p.*", label="y")
    assert result.cross_entropy == bits([0.7, 0.8, 0.5])


@pytest.mark.parametrize("kind", [pa.float16(), pa.float32(), pa.float64(), pa.decimal128(10, 5)])
@pytest.mark.parametrize("shape", [pa.list_, pa.large_list, lambda kind: pa.list_(kind, 2)])
def test_list_columns_of_any_number(kind, shape):
    q = [[0.75, 0.25], [0.5, 0.5]]
    values = pa.array(q).cast(shape(kind)) if kind != pa.float16() else None
    if values is None:
        half = [np.array(row, np.float16) for row in q]
        values = pa.array(half, pa.list_(pa.float16())).cast(shape(kind))
    table = pa.table({"probs": values, "label": [1, 0]})
    assert score(table).cross_entropy == bits([0.25, 0.5])
    assert score(table.slice(1)).cross_entropy == 1
