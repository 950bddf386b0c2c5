"""Rows are paired with their own: any split, any order by id, or a refusal that names the row."""

import json
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.compare import compare
from plogq.score import TableError
from plogq.tables import readers
from tests.compare.tables import CLASSES, models, pair, table


def figures(result):
    found = json.loads(result.to_json())
    for side in ("a", "b"):
        del found[side]["source"]
    return found


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), cuts=st.lists(st.integers(0, 120), max_size=5),
       groups=st.tuples(st.integers(1, 40), st.integers(1, 40)), by_id=st.booleans(),
       batch=st.integers(1, 60), weight=st.sampled_from([None, "w"]))  # fmt: skip
def test_split(seed, cuts, groups, by_id, batch, weight):
    one, other = pair(seed, rows=120)
    options = {"slices": ["site"], "group": "patient", "weight": weight}
    whole = figures(compare(one, other, id="id" if by_id else None, **options))
    if by_id:
        other = other.take(np.random.default_rng(seed).permutation(120))
    ends = sorted({*cuts, 0, 120})
    before = readers.BATCH_ROWS
    readers.BATCH_ROWS = batch
    try:
        with tempfile.TemporaryDirectory() as folder:
            b = Path(folder) / "b.parquet"
            (a := Path(folder) / "a").mkdir()
            pq.write_table(other, b, row_group_size=groups[1])
            for i, end in enumerate(ends[1:]):
                part = one.slice(ends[i], end - ends[i])
                pq.write_table(part, a / f"{i}.parquet", row_group_size=groups[0])
            found = compare(a, b, id="id" if by_id else None, **options)
    finally:
        readers.BATCH_ROWS = before
    assert figures(found) == whole


def test_by_id_and_by_order_agree():
    one, other = pair(1)
    by_order, by_id = compare(one, other), compare(one, other.take(np.arange(300)[::-1]), id="id")
    assert (by_order.pairing, by_id.pairing) == ("row order", "id")
    assert by_id.difference == by_order.difference
    assert by_id.intervals == by_order.intervals
    assert [x.id for x in by_id.largest.a] == [f"r{x.row}" for x in by_order.largest.a]


@pytest.mark.parametrize("kind", [pa.int64(), pa.string(), pa.large_string()])
def test_ids_of_another_type(kind):
    one, other = pair(2)
    ids = pa.array(range(300))
    one = one.set_column(one.schema.get_field_index("id"), "id", ids)
    theirs = pa.array(map(str, range(300))).dictionary_encode() if kind == pa.string() else ids
    if kind == pa.large_string():
        theirs = pa.array([str(i) for i in range(300)], kind)
    other = other.set_column(other.schema.get_field_index("id"), "id", theirs)
    assert compare(one, other, id="id").difference == compare(one, other).difference


def refused(a, b, *parts, error=TableError, **options):
    with pytest.raises(error) as caught:
        compare(a, b, **options)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def changed(source, name, row, value):
    column = source.column(name).to_pylist()
    column[row] = value
    return source.set_column(source.schema.get_field_index(name), name, pa.array(column))


def test_labels_that_disagree():
    one, other = pair(3)
    label = one["label"].to_pylist()[7]
    wrong = CLASSES[(CLASSES.index(label) + 1) % 4]
    other = changed(other, "label", 7, wrong)
    refused(one, other, "column 'label'", f"got {wrong!r} for {label!r}", "row 7")
    turned = other.take(np.arange(300)[::-1])
    refused(one, turned, f"got {wrong!r} for {label!r}", "row 292", id="id")


def test_soft_labels_that_disagree():
    soft = np.full((3, 2), 0.5)
    other = soft.copy()
    other[2] = 0.6, 0.4
    a, b = ({"probs": soft, "label": y} for y in (soft, other))
    refused(a, b, "another distribution", "row 2")
    refused(a, {"probs": soft, "label": np.zeros(3, np.int64)}, "of the kind that the other")


@pytest.mark.parametrize("longer", ["a", "b"])
def test_tables_of_different_lengths(longer):
    one, other = pair(4)
    tables = (one, other.slice(0, 299)) if longer == "a" else (one.slice(0, 299), other)
    refused(*tables, "must have a row for each", "299 rows and no more", "--id")


def test_classes_that_differ():
    label, (a, b), columns = models(5)
    one, other = table(label, a, columns), table(label, b, columns)
    names = [name.replace("fox", "owl") for name in other.column_names]
    refused(one, other.rename_columns(names), "classes of the other", "no 'fox'", "--classes")
    arrays = {"logits": b, "label": label}
    refused(one, arrays, "no 'cat'")
    assert compare(arrays, {"logits": a, "label": label}).rows == 300


def test_ids_that_do_not_match():
    one, other = pair(6)
    refused(
        one, changed(other, "id", 9, "x"), "column 'id'", "be an id of", "'x'", "row 9", id="id"
    )
    refused(one, other.slice(0, 200), "column 'id'", "'r200'", "row 200", id="id")
    refused(one, changed(other, "id", 9, "r3"), "of its own", "'r3'", "row 9", id="id")
    refused(changed(one, "id", 9, "r3"), other, "of its own", "'r3'", "row 9", id="id")
    refused(changed(one, "id", 9, None), other, "hold an id in every row", "row 9", id="id")
    refused(one, other.drop_columns(["id"]), "no column 'id'", id="id")


def test_nothing_to_compare():
    one, other = pair(7)
    refused(one.slice(0, 0), other, "no rows")
    nothing = one.set_column(one.schema.get_field_index("w"), "w", pa.array([0.0] * 300))
    refused(nothing, other, "the weights are all 0", weight="w")
    tiny = one.set_column(one.schema.get_field_index("w"), "w", pa.array([1e-30] * 300))
    refused(tiny, other, "the weights must be 1e-20 or more in the mean", "got 1e-30", weight="w")


@pytest.mark.parametrize(
    ("options", "error", "part"),
    [
        ({"unit": "byte"}, ValueError, "unit must be"),
        ({"bootstrap": -1}, ValueError, "bootstrap must be at least 0"),
        ({"seed": 1.0}, TypeError, "seed must be an integer"),
        ({"part": "all"}, ValueError, "part must be left out"),
    ],
)
def test_options(options, error, part):
    refused(*pair(8), part, error=error, **options)


def test_slices_of_too_many_values():
    one, other = pair(9, rows=1200)
    refused(one, other, "'id' has more than 1,000 different values", slices=["id"])


def test_many_values_and_missing_ones():
    label, (a, b), columns = models(10, rows=600)
    site = [None if i % 3 == 0 else f"s{i % 7}" if i % 3 == 1 else "null" for i in range(600)]
    columns |= {"site": site}
    result = compare(table(label, a, columns), table(label, b, columns), slices=["site"])
    assert set(result.slices["site"]) == {"null", '"null"', *(f"s{i}" for i in range(7))}
    assert result.slices["site"]["null"].rows == 200
