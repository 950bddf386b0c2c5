"""Rows that share an id are told."""

import json

import numpy as np
import pyarrow as pa
import pytest

from plogq.records import encoded
from plogq.score import score
from plogq.score.state import ids as module
from plogq.score.state.ids import Ids, Repeated


def warned(names, **options):
    """Give the warning of a table with these ids; None where there is none."""
    rng = np.random.default_rng(0)
    p = rng.dirichlet([1, 1], len(names))
    columns = {"probs": p.tolist(), "label": rng.integers(0, 2, len(names)), "id": names}
    result = score(pa.table(columns), id="id", bootstrap=0, **options)
    assert json.loads(result.to_json())["warnings"] == encoded(result.warnings)
    return next((w for w in result.warnings if w.code == "repeated_ids"), None)


@pytest.mark.parametrize(
    ("names", "rows", "shown"),
    [
        (["a", "b", "c"], 0, None),
        (["b", "a", "b"], 2, "'b'"),
        (["b", "a", "b", "a", "a"], 5, "'a'"),
        ([1, 2, 2], 2, "'2'"),
        ([None, None, "a"], 0, None),
        (pa.array(["x", "y", "x"]).dictionary_encode(), 2, "'x'"),
        (["a"], 0, None),
    ],
)
def test_rows_that_share_an_id(names, rows, shown):
    found = warned(names)
    if rows == 0:
        assert found is None
    else:
        assert found.rows == rows
        assert found.message.startswith(f"rows share an id, such as {shown}: ")


def test_without_ids_nothing_is_said():
    result = score({"probs": [[0.5, 0.5]] * 3, "labels": [0, 1, 1]}, bootstrap=0)
    assert [w for w in result.warnings if w.code == "repeated_ids"] == []


def test_a_table_that_is_there_twice_is_seen_by_a_sample(monkeypatch):
    monkeypatch.setattr(module, "MOST", 1_000)
    names = [f"row {i % 50_000}" for i in range(100_000)]
    found = warned(names)
    assert 2 <= found.rows < 100  # about 1,000² / 100,000 pairs
    assert warned([f"row {i}" for i in range(100_000)]) is None


def test_no_split_and_no_order_changes_it(monkeypatch):
    monkeypatch.setattr(module, "MOST", 200)
    names = pa.array([f"{i % 700}" for i in range(2_000)])
    whole = Ids(7)
    whole.add(0, names)
    parts = []
    for first, end in ((1_500, 2_000), (0, 10), (10, 1_500)):
        part = Ids(7)
        part.add(first, names.slice(first, end - first))
        parts.append(part)
    merged = Ids(7)
    for part in parts:
        merged.merge(part)
    assert merged.repeated() == whole.repeated()
    assert isinstance(whole.repeated(), Repeated)
