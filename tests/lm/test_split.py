"""Any split of the rows into files, row groups and batches gives the same JSON."""

import itertools
import json
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from plogq.lm import score_tokens
from plogq.lm.documents import Names
from plogq.tables import readers
from tests.lm.corpora import corpus, table


def figures(result):
    found = json.loads(result.to_json())
    del found["source"]
    return found


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(0, 400), max_size=6),
       group=st.integers(1, 50), batch=st.integers(1, 50))  # fmt: skip
def test_split(seed, cuts, group, batch):
    rows = table(corpus(seed))
    whole = figures(score_tokens(rows, top=4))
    ends = sorted({min(cut, len(rows)) for cut in cuts} | {0, len(rows)})
    before = readers.BATCH_ROWS
    readers.BATCH_ROWS = batch
    try:
        with tempfile.TemporaryDirectory() as folder:
            for start, end in itertools.pairwise(ends):
                path = Path(folder) / f"part{start:05}.parquet"
                pq.write_table(rows.slice(start, end - start), path, row_group_size=group)
            assert figures(score_tokens(folder, top=4)) == whole
    finally:
        readers.BATCH_ROWS = before


def test_names_are_told_apart_when_there_are_many():
    names = Names()
    assert all(names.add(f"d{i}") for i in range(200_000))
    assert not any(names.add(f"d{i}") for i in range(0, 200_000, 997))
    assert names.add("d200000")
