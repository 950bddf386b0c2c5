"""Labels of any type that holds whole numbers, names or bytes; missing and ignored ones."""

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv

from plogq.score import TableError, score

Q = [[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]
RIGHT = pytest.approx(-np.mean(np.log([0.9, 0.8, 0.4])), rel=1e-14)


def nats(table, **options):
    return score(table, unit="nat", bootstrap=0, **options).cross_entropy


def labelled(labels, names=("0", "1")):
    columns = {f"prob_{name}": [q[j] for q in Q] for j, name in enumerate(names)}
    return pa.table(columns | {"label": labels})


def refused(table, *parts, **options):
    with pytest.raises(TableError) as caught:
        score(table, **options)
    for part in parts:
        assert part in str(caught.value), caught.value


WHOLE = {
    "float64": pa.array([0.0, 1.0, 0.0]),
    "float32": pa.array([0.0, 1.0, 0.0], pa.float32()),
    "float16": pa.array(np.array([0, 1, 0], np.float16)),
    "decimal": pa.array([Decimal("0.00"), Decimal("1.00"), Decimal("0.00")]),
    "boolean": pa.array([False, True, False]),
    "texts": pa.array(["0", "1", "0"]),
    "texts of floats": pa.array(["0.0", "1.0", "0.0"]),
    "bytes": pa.array([b"0", b"1", b"0"]),
    "dictionary of integers": pa.array([0, 1, 0]).dictionary_encode(),
    "dictionary of floats": pa.array([0.0, 1.0, 0.0]).dictionary_encode(),
}


@pytest.mark.parametrize("labels", WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("names", [("0", "1"), ("0.0", "1.0")])
def test_whole_numbers_of_any_type_are_classes(labels, names):
    assert nats(labelled(labels, names)) == RIGHT
    assert nats(pa.table({"probs": Q, "label": labels})) == RIGHT


def test_names_that_are_numbers_are_matched_by_value():
    table = labelled([1.5, 0.5, 1.5], ("1.5", "0.5"))
    assert nats(table) == RIGHT
    assert nats(labelled([1, 0, 1], ("1.0", "0.0"))) == RIGHT
    refused(labelled([1.5, 0.7, 1.5], ("1.5", "0.5")), "1.5, 0.5", "got 0.7", "row 1")


def test_numbers_that_are_no_class():
    refused(labelled([0.0, 0.3, 1.0]), "'label'", "got 0.3", "row 1")
    refused(labelled([0.0, 1e300, 1.0]), "'label'", "row 1")
    refused(labelled([0.0, np.inf, 1.0]), "'label'", "got inf", "row 1")


def test_a_missing_label_is_called_missing():
    for labels in ([0, None, 1], [0.0, None, 1.0], pa.array([0.0, np.nan, 1.0])):
        refused(labelled(labels), "a label in every row", "--ignore null", "got null", "row 1")


def test_bytes_are_names():
    names = pa.array(["né".encode(), b"b", "né".encode()])
    assert nats(labelled(names, ("né", "b"))) == RIGHT


@pytest.mark.parametrize(
    ("labels", "ignore"),
    [([0, -100, 1, 0], -100), ([0.0, -100.0, 1.0, 0.0], -100), ([0, None, 1, 0], None),
     ([0.0, np.nan, 1.0, 0.0], "null"), (["0", "?", "1", "0"], "?"),
     (["0", None, "1", "0"], [None, "?"]), ([False, None, True, False], None)],
)  # fmt: skip
def test_rows_that_are_left_out(labels, ignore):
    q = [Q[0], [0.5, 0.5], *Q[1:]]
    table = pa.table({"probs": q, "label": pa.array(labels, from_pandas=False)})
    result = score(table, unit="nat", ignore=ignore)
    assert result.cross_entropy == RIGHT
    assert result.rows == 3
    assert any("1 row." in note for note in result.source.notes)
    assert [item.row for item in result.surprises] == [3, 2, 0]


def test_the_way_to_leave_rows_out_is_said():
    refused(labelled([0, -100, 1]), "--ignore -100")
    refused(labelled([0, -1, 1]), "--classes -1,1", "--ignore -1")
    refused(labelled([-100] * 3), "--ignore leaves out all, 3", ignore=-100)


def test_a_row_that_is_left_out_may_hold_anything(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("label,prob_0,prob_1\n0,.9,.1\n-100,nan,7\n1,.2,.8\n0,.4,.6\n")
    assert nats(path, ignore=[-100]) == RIGHT
    csv.write_csv(labelled([0, 1, None]), path)
    assert score(path, ignore="null").rows == 2


def test_errors_name_the_row_of_the_file():
    table = labelled([-100, 0, 7])
    refused(table, "got 7", "row 2", ignore=-100)


def test_labels_counted_from_one():
    refused({"probs": np.array(Q), "labels": np.array([1, 2, 1])}, "--classes 1,2", "got 2")
    many = np.full((3, 1000), 1e-3)
    refused({"probs": many, "labels": np.array([1, 2, 1000])}, "--classes 1..1000")
    refused(labelled([1, 2, 1]), "--classes 1,2", "got 2")
    assert nats(labelled([1, 2, 1]), classes=[1, 2]) == RIGHT


def test_a_label_may_be_a_slice_too():
    assert list(score(labelled([0, 1, 0]), slices=["label"]).slices["label"]) == ["0", "1"]


def test_bytes_name_rows_and_slices():
    table = labelled([1, 0, 1]).append_column("site", pa.array([b"n", b"s", b"n"]))
    result = score(table, slices=["site"], id="site")
    assert list(result.slices["site"]) == ["n", "s"]
    assert {item.id for item in result.surprises} == {"n", "s"}
    bad = table.set_column(3, "site", pa.array([b"n", b"\xff", b"n"]))
    refused(bad, "'site'", "UTF-8", slices=["site"])
