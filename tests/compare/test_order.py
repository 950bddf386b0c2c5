"""Rows are paired by order only where no column of both says that it is another."""

import numpy as np
import pyarrow as pa
import pytest

from plogq.compare import compare
from plogq.score import TableError
from tests.compare.tables import pair


def reading(result):
    return [w.message for w in result.warnings if w.code == "reading"]


def within_classes(table, seed=0):
    """Reorder rows so that labels stay as they are."""
    rng = np.random.default_rng(seed)
    label = np.array(table["label"].to_pylist())
    order = np.arange(len(label))
    for name in set(label):
        rows = np.flatnonzero(label == name)
        order[rows] = rng.permutation(rows)
    return table.take(order)


@pytest.mark.parametrize("name", ["id", "text", "row_number"])
@pytest.mark.parametrize("kind", [pa.string(), pa.int64(), pa.large_string()])
def test_ids_in_another_order_are_refused(name, kind):
    one, other = pair(0)
    ids = pa.array(range(300)).cast(kind)
    one, other = (
        t.drop_columns(["id"]).append_column(name, ids) for t in (one, other)
    )  # fmt: skip
    by_order = compare(one, other)
    assert reading(by_order) == []
    turned = within_classes(other)
    with pytest.raises(TableError, match=rf"--id {name}; got .* in row \d+"):
        compare(one, turned)
    assert compare(one, turned, id=name).difference == pytest.approx(by_order.difference)


def test_columns_that_name_no_rows_do_not_matter():
    one, other = pair(1)
    other = other.drop_columns(["id"]).append_column("id", pa.array([f"x{i}" for i in range(300)]))
    (warning,) = reading(compare(one, other))
    assert "'id' differs" in warning
    other = other.rename_columns([{"id": "made_at"}.get(n, n) for n in other.column_names])
    one = one.rename_columns([{"id": "made_at"}.get(n, n) for n in one.column_names])
    assert reading(compare(one, other)) == []
    patients = np.random.default_rng(0).permutation(other["patient"].to_pylist())
    again = other.drop_columns(["patient"]).append_column("patient", pa.array(patients))
    assert reading(compare(one, again)) == []  # not different in every row: no name of it


def test_duplicate_ids_are_counted():
    one, other = pair(2)
    twice = other.set_column(
        other.schema.get_field_index("id"), "id", pa.array(["r0", "r0", "r1", "r1"] + ["x"] * 296)
    )
    with pytest.raises(TableError, match=r"297 came before.*'r0' .*row 1"):
        compare(one, twice, id="id")


def test_rows_that_are_left_out_of_both():
    one, other = pair(3)
    keep = np.random.default_rng(0).random(300) < 0.7
    label = np.where(keep, np.array(one["label"].to_pylist()), "?")
    at = one.schema.get_field_index("label")
    marked = [t.set_column(at, "label", pa.array(label)) for t in (one, other)]
    kept = [t.filter(pa.array(keep)) for t in (one, other)]
    by_order = compare(*marked, ignore="?")
    assert by_order.difference == compare(*kept).difference
    assert by_order.rows == keep.sum()
    turned = marked[1].take(np.arange(300)[::-1])
    by_id = compare(marked[0], turned, ignore="?", id="id")
    assert by_id.difference == by_order.difference
    assert [each.id for each in by_id.largest.a] == [f"r{each.row}" for each in by_order.largest.a]
    first = int(np.argmin(keep))
    with pytest.raises(TableError, match=rf"be left out by its label .*row {first}"):
        compare(marked[0], other, ignore="?")


def test_warnings_name_the_table():
    one, other = pair(4)
    logits = [n for n in other.column_names if n.startswith("logit_")]
    x = np.column_stack([np.exp(other[n].to_numpy()) for n in logits])
    q = pa.table({n: x[:, j] for j, n in enumerate(logits)} | {"label": other["label"]})
    warnings = reading(compare(one, q))
    assert any(each.startswith("B: Every row of 'logit_*' lies in [0, 1]") for each in warnings)
